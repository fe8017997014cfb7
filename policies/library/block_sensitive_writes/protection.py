"""Whether a path is, or may be, one that is protected. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache

from policies.shell import FETCHED, START, UNKNOWN, Place

Segments = tuple[str, ...]
"""A path at its slashes; the first is "" for the root, "~" for a home, "." for where the command was started."""

_UNKNOWN = re.compile(f"[{UNKNOWN}{FETCHED}]+")
_GLOB = re.compile(f"[*?\\[{UNKNOWN}]")
MAX_SEGMENTS = 128
MAX_MARKS = 256


@dataclass(frozen=True, slots=True)
class Protection:
    """Patterns as they were written, with their segments; `unknown`: what nobody can tell is protected, too."""

    patterns: tuple[tuple[str, Segments], ...]
    allowed: tuple[Segments, ...]
    unknown: bool

    @classmethod
    def of(cls, patterns: tuple[str, ...], allowed: tuple[str, ...], unknown: bool) -> Protection:
        return cls(tuple((p, _pattern(p)) for p in patterns), tuple(_pattern(p) for p in allowed), unknown)

    def finds(self, path: str, place: Place = START, tree: bool = False) -> str | None:
        """The pattern that protects `path` as written at `place`, or "unknown", or None.

        With `tree` all that is below `path` is changed as well.
        """
        tree = tree and not _UNKNOWN.search(path)
        meant = place.resolve(path)
        for name in meant:
            found = self._protects(_segments(name), tree)
            if found:
                return found
        return "unknown" if self.unknown and any(_UNKNOWN.search(name) for name in meant) else None

    def _protects(self, path: Segments, tree: bool) -> str | None:
        if len(path) > MAX_SEGMENTS:
            return "unknown"
        if any(_ends(_reached(path, pattern, fnmatchcase), pattern) for pattern in self.allowed):
            return None
        return next((written for written, pattern in self.patterns if _may_reach(path, pattern, tree)), None)


def _pattern(written: str) -> Segments:
    anchored = written.startswith(("/", "~"))
    return _segments(START.resolve(written)[0]) if anchored else ("**", *_segments(written.strip("/")))


def _segments(path: str) -> Segments:
    return tuple(_UNKNOWN.sub(UNKNOWN, path).casefold().removesuffix("/").split("/"))


def _may_reach(path: Segments, pattern: Segments, tree: bool) -> bool:
    """Whether `path` may match `pattern`; with `tree`, whether something below it does, in a folder that it names."""
    home = path[0] == "." and pattern[0] == "~"  # the command may be started in a home
    places = _reached(("~", *path[1:]) if home else path, pattern, _may_meet)
    return _ends(places, pattern) or (tree and path != (".",) and any(_names(pattern[:place]) for place in places))


def _ends(places: set[int], pattern: Segments) -> bool:
    return len(pattern) in places


def _reached(path: Segments, pattern: Segments, meets: Callable[[str, str], bool]) -> set[int]:
    """The places between the segments of `pattern` that `path` may end at."""
    places = _open({0}, pattern)
    for segment in path:
        stayed = {place for place in places if pattern[place : place + 1] == ("**",)}
        went_on = {
            place + 1
            for place in places - stayed
            if place < len(pattern) and _says_enough(segment, pattern[:place])
            if meets(segment, pattern[place])
        }
        places = _open(stayed | went_on, pattern)
    return places


def _open(places: set[int], pattern: Segments) -> set[int]:
    """`places`, and those behind a `**` that stands for nothing."""
    opened = set(places)
    for place, segment in enumerate(pattern):
        if place in opened and segment == "**":
            opened.add(place + 1)
    return opened


def _names(pattern: Segments) -> bool:
    return any(segment != "**" for segment in pattern)


def _says_enough(segment: str, before: Segments) -> bool:
    """Any file may be `*`, or unknown: that says nothing before a folder is named."""
    if segment.strip(f"*?{UNKNOWN}") or not segment:
        return True
    return bool(set(before) - ({"**", "", "~"} if UNKNOWN in segment else {"**"}))


def _may_meet(segment: str, pattern: str) -> bool:
    if not _GLOB.search(segment):
        return fnmatchcase(segment, pattern)
    # No pattern of the shell's matches a name that begins with a dot unless it does so, too.
    if pattern.startswith(".") != segment.startswith("."):
        return False
    return _common(segment, pattern)


@lru_cache(maxsize=1024)
def _marks(pattern: str) -> tuple[str, ...]:
    """`pattern` as single letters, `?` and `*`."""
    pattern = re.sub(r"\[[^\]]+\]", "?", pattern.replace(UNKNOWN, "*"))
    return tuple(pattern[:MAX_MARKS])


def _common(one: str, other: str) -> bool:
    """Whether some name matches both patterns."""
    left, right = _marks(one), _marks(other)
    row = [True, *(all(mark == "*" for mark in right[: column + 1]) for column in range(len(right)))]
    for mark in left:
        above, row = row, [row[0] and mark == "*"]
        for column, against in enumerate(right):
            skipped = "*" in (mark, against) and (above[column + 1] or row[column])
            row.append(skipped or (above[column] and (mark == against or mark in "*?" or against in "*?")))
    return row[-1]
