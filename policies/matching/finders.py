"""What to look for, and looking for many kinds at once, in time that is linear in the text. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import re2

from .shapes import CUT, Shape

Check = Callable[[bytes, int, int], tuple[int, int] | None]
"""What of the text from one offset to another really is of the kind, or None.

It looks no further than one character past either end.
"""
Extend = Callable[[bytes, int], int]
"""How far a find that ends at the offset goes on."""

_LONGEST_CHARACTER = 4
_MEMORY = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Finder:
    """Finds `kind`, where `shape` matches and `check` agrees.

    A find goes on over all characters of the class `[follow]` behind it, however many they are.
    """

    kind: str
    shape: Shape
    check: Check | None = None
    follow: str = ""


@dataclass(frozen=True, slots=True)
class Find:
    """`at` is where the shape begins; from `start` to `end` stands what is cut out. Offsets are in bytes of UTF-8."""

    kind: str
    at: int
    start: int
    end: int
    extend: Extend | None = None


class Finders:
    """Several finders as one: the leftmost find first, of several the longest, and the next one behind it."""

    def __init__(self, finders: Sequence[Finder]) -> None:
        self._finders = [_Compiled(finder) for finder in finders]
        self._set = re2.Set.SearchSet(_options())
        for finder in finders:
            self._set.Add(finder.shape.pattern)
        if finders:
            self._set.Compile()
        openings = "|".join(finder.shape.opening for finder in finders)
        self._open_end = compiled(f"(?:{openings})\\z", never_capture=True)
        self._longest = max((finder.shape.longest for finder in finders), default=0) * _LONGEST_CHARACTER

    def finds(self, data: bytes, start: int, until: int) -> Iterator[Find]:
        """All that begin at `start` or behind it, and before `until`, in their order; none overlaps another."""
        ahead = self._ahead(data, sorted(self._set.Match(data) or ()) if self._finders else (), start)
        while ahead:
            _, first = min(ahead.items(), key=lambda item: (item[1].at, -item[1].end, item[0]))
            if first.at >= until:
                return
            if first.extend is not None:
                first = dataclasses.replace(first, end=first.extend(data, first.end))
            yield first
            overtaken = [place for place, find in ahead.items() if find.at < first.end]
            ahead = {place: find for place, find in ahead.items() if find.at >= first.end}
            ahead |= self._ahead(data, overtaken, first.end)

    def open_from(self, data: bytes) -> int:
        """Where that begins at the end of `data` which may yet become a find, or a longer one."""
        if not self._finders:
            return len(data)
        begin: int = max(self._open_end.search(data).start(), len(data) - self._longest)
        while begin < len(data) and data[begin] & 0xC0 == 0x80:
            begin -= 1
        return begin

    def _ahead(self, data: bytes, places: Iterable[int], start: int) -> dict[int, Find]:
        """The next find of each of these finders that has one."""
        finds = ((place, self._finders[place].first(data, start)) for place in places)
        return {place: find for place, find in finds if find is not None}


class _Compiled:
    def __init__(self, finder: Finder) -> None:
        self._kind = finder.kind
        self._check = finder.check
        self._regex = compiled(finder.shape.pattern)
        self._group = self._regex.groupindex.get(CUT.encode(), 0)
        self._extend = _following(finder.follow) if finder.follow else None

    def first(self, data: bytes, start: int) -> Find | None:
        match = self._regex.search(data, start)
        while match is not None:
            found: tuple[int, int] | None = match.span(self._group)
            if found is not None and self._check is not None:
                found = self._check(data, *found)
            if found is not None and found[0] < found[1]:
                return Find(self._kind, match.start(), *found, self._extend)
            match = self._regex.search(data, match.start() + 1) if match.start() < len(data) else None
        return None


def compiled(pattern: str, **options: bool) -> Any:
    """`pattern` for UTF-8. Raises re2.error."""
    return re2.compile(pattern.encode(), _options(**options))


def _following(of: str) -> Extend:
    regex = compiled(f"[{of}]*")

    def extend(data: bytes, offset: int) -> int:
        end: int = regex.match(data, offset).end()
        return end

    return extend


def _options(**changes: bool) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY
    for name, value in changes.items():
        setattr(options, name, value)
    return options
