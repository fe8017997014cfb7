"""Whether a path is, or may be, one that is protected. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

import re2

from policies.shell import FETCHED, START, UNKNOWN, Place

Segments = tuple[str, ...]
"""A path at its slashes; the first is "" for the root, "~" for a home, "." for where the command was started."""

_UNKNOWN = re.compile(f"[{UNKNOWN}{FETCHED}]+")
_VAGUE = re.compile(f"[*?\\[{UNKNOWN}{FETCHED}]")
_ANY_FOLDERS = "(?:[^/]*/)*"
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
        if not self._is_suspect(path, tree) or any(_ends(_reached(path, p, fnmatchcase), p) for p in self.allowed):
            return None
        return next((written for written, pattern in self.patterns if _may_reach(path, pattern, tree)), None)

    def _is_suspect(self, path: Segments, tree: bool) -> bool:
        """Whether a pattern may protect `path`: a quick look, which says no for nearly all paths."""
        text = "/".join(path)
        if is_vague(text):
            return True
        exact, above = _quick(self.patterns)
        regex = above if tree else exact
        return bool(regex.fullmatch(text) or (text.startswith("./") and regex.fullmatch(f"~{text[1:]}")))


@lru_cache(maxsize=16)
def _quick(patterns: tuple[tuple[str, Segments], ...]) -> tuple[Any, Any]:
    """One expression for all patterns, and one for these and all that they lie below."""
    wholes = [pattern for _, pattern in patterns]
    parts = [pattern[: end + 1] for pattern in wholes for end in range(len(pattern))]
    return _any_of(wholes), _any_of([*wholes, *filter(_names, parts)])


def _any_of(patterns: list[Segments]) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.dot_nl = True
    options.max_mem = 64 << 20
    return re2.compile("|".join(dict.fromkeys(map(_expression, patterns))) or "$^", options)


def _expression(pattern: Segments) -> str:
    pieces = [_ANY_FOLDERS if segment == "**" else _segment_expression(segment) + "/" for segment in pattern]
    if pattern[-1] == "**":
        return "".join(pieces[:-1]).removesuffix("/") + "(?:/.*)?" if len(pattern) > 1 else ".*"
    return "".join(pieces).removesuffix("/")


def _segment_expression(segment: str) -> str:
    """A glob, or a little more than it: what matches is looked at again."""
    parts = {"*": "[^/]*", "?": "[^/]"}
    return "".join(parts.get(mark) or re.escape(mark) for mark in _marks(segment))


def is_vague(path: str) -> bool:
    """Whether only running the script would tell which file it is."""
    return bool(_VAGUE.search(path))


def _pattern(written: str) -> Segments:
    anchored = written.startswith(("/", "~"))
    return _segments(START.resolve(written)[0]) if anchored else ("**", *_segments(written.strip("/")))


def _segments(path: str) -> Segments:
    return tuple(_UNKNOWN.sub(UNKNOWN, path).casefold().removesuffix("/").split("/"))


def _may_reach(path: Segments, pattern: Segments, tree: bool) -> bool:
    """Whether `path` may match `pattern`; with `tree`, whether something below it does, in a folder that it names."""
    home = path[0] == "." and pattern[0] == "~"  # the command may be started in a home
    if not home and pattern[0] not in ("**", path[0]):
        return False
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
    if not is_vague(segment):
        return fnmatchcase(segment, pattern)
    # No pattern of the shell's matches a name that begins with a dot unless it does so, too.
    if pattern.startswith(".") != segment.startswith("."):
        return False
    return _common(segment, pattern)


@lru_cache(maxsize=1024)
def _marks(pattern: str) -> tuple[str, ...]:
    """`pattern` as single letters, `?` and `*`."""
    return tuple(re.sub(r"\[[^\]]+\]", "?", pattern.replace(UNKNOWN, "*")))[:MAX_MARKS]


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
