"""Bodies stored by content: what a body shares with an earlier one is stored once. Pure.

A request of an agent repeats the whole conversation, so a body is kept as a recipe. Where to cut is found by looking at
the JSON, but a recipe is exact wherever it is cut, so that bytes which are not JSON, or odd JSON, cost space and never
truth.
"""

from __future__ import annotations

import hashlib
import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import AnyStr

from .recipes import MAX_DEPTH, Part, Piece, Slice, name

MIN_PART = 512
"""Elements shorter than this (bytes) stand in the recipe itself: a row of their own would cost more."""
MIN_SPLIT = 16 * 1024
"""A body shorter than this (bytes) that has no parent is stored whole."""

_ARRAY = re.compile(r'"(?:messages|system|tools|functions|input)"\s*:\s*\[')
_GAP = re.compile(r"[\s,]*(?=\{)")
_DECODER = json.JSONDecoder(strict=False)

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Body:
    """A body in memory, ready to be a parent. `found` is where its messages, system blocks and tools stand, if that
    was looked for yet."""

    digest: bytes
    raw: bytes
    found: tuple[Span, ...] | None = None
    depth: int = 0

    @property
    def elements(self) -> tuple[Span, ...]:
        return tuple(find_elements(self.raw)) if self.found is None else self.found


@dataclass(frozen=True, slots=True)
class Plan:
    """How to store a body: its pieces, or none where it is stored whole."""

    body: Body
    pieces: tuple[Piece, ...] = ()


def plan(raw: bytes, parents: Sequence[Body] = (), digest: bytes = b"") -> Plan:
    """How to store `raw`, given bodies that are stored already, the newest last; one that shares most is the parent.

    `digest` is its name, where that is known.
    """
    digest = digest or name(raw)
    best = _best(raw, parents)
    if best is not None and _shared(best) * 2 > len(raw):
        return _plan_difference(digest, raw, best)
    if len(raw) < MIN_SPLIT:
        return Plan(Body(digest, raw))
    elements = tuple(find_elements(raw))
    pieces = tuple(_cut(raw, 0, len(raw), elements))
    if len(pieces) == 1:
        return Plan(Body(digest, raw, elements))
    return Plan(Body(digest, raw, elements, depth=1), pieces)


def find_elements(raw: bytes, inside: bool = False) -> Iterator[Span]:
    """Where the messages, system blocks and tool definitions of a JSON request stand, in order.

    `inside` says that `raw` begins in the middle of an array of them, between two.
    """
    text = raw.decode("latin-1")  # a character a byte: offsets agree, and UTF-8 never looks like a quote or a bracket
    position = 0
    match = None if inside else _ARRAY.search(text)
    while inside or match is not None:
        position = match.end() if match is not None else 0
        for span in _scan(text, position):
            yield span
            position = span[1]
        inside, match = False, _ARRAY.search(text, position)


@dataclass(frozen=True, slots=True)
class _Shared:
    """`head` and `tail` bytes that a body has in common with the parent's two ends, in whole elements."""

    parent: Body
    head: int
    tail: int


def _shared(share: _Shared) -> int:
    return share.head + share.tail


def _best(raw: bytes, parents: Sequence[Body]) -> _Shared | None:
    best = None
    for parent in reversed(parents):
        if parent.depth >= MAX_DEPTH:
            continue
        share = _share(raw, parent)
        if best is None or _shared(share) > _shared(best):
            best = share
        if _shared(best) * 4 > len(raw) * 3:
            break  # a conversation goes on from its last request, and to compare costs more than to look on saves
    return best


def _share(raw: bytes, parent: Body) -> _Shared:
    other = parent.raw
    size, shorter = len(other), min(len(raw), len(other))
    head = common_head(raw, other, shorter)
    cuts = [cut for span in parent.elements for cut in span]
    place = bisect_right(cuts, head)
    head = cuts[place - 1] if place else 0
    tail = common_tail(raw, other, shorter - head)
    place = bisect_left(cuts, size - tail)
    tail = size - cuts[place] if place < len(cuts) else tail
    return _Shared(parent, head, tail)


def common_head(one: AnyStr, other: AnyStr, most: int) -> int:
    """How many bytes or characters both begin with, up to `most`, by bisection: comparing is cheap, a step is not."""
    if one[:most] == other[:most]:
        return most
    low, high = 0, most
    while high - low > 1:
        middle = (low + high) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle
    return low


def common_tail(one: AnyStr, other: AnyStr, most: int) -> int:
    """How many bytes or characters both end with, up to `most`."""
    end, other_end = len(one), len(other)
    if one[end - most :] == other[other_end - most :]:
        return most
    low, high = 0, most
    while high - low > 1:
        middle = (low + high) // 2
        if one[end - middle : end - low] == other[other_end - middle : other_end - low]:
            low = middle
        else:
            high = middle
    return low


def _plan_difference(digest: bytes, raw: bytes, share: _Shared) -> Plan:
    parent, head, end = share.parent, share.head, len(raw) - share.tail
    shift = len(raw) - len(parent.raw)
    added = [(start + head, stop + head) for start, stop in find_elements(raw[head:end], inside=head > 0)]
    known = parent.elements
    before = [span for span in known if span[1] <= head]
    after = [(start + shift, stop + shift) for start, stop in known if start + shift >= end]
    pieces: list[Piece] = []
    if head:
        pieces.append(Slice(parent.digest, 0, head))
    pieces.extend(_cut(raw, head, end, added))
    if share.tail:
        pieces.append(Slice(parent.digest, len(parent.raw) - share.tail, share.tail))
    return Plan(Body(digest, raw, (*before, *added, *after), parent.depth + 1), tuple(pieces))


def _cut(raw: bytes, start: int, end: int, elements: Iterable[Span]) -> Iterator[Piece]:
    """The bytes `start` to `end` as literals and parts."""
    literal = start
    for first, last in elements:
        if last - first < MIN_PART:
            continue
        if literal < first:
            yield raw[literal:first]
        yield Part(hashlib.sha256(raw[first:last]).digest(), first, last)
        literal = last
    if literal < end:
        yield raw[literal:end]


def _scan(text: str, position: int) -> Iterator[Span]:
    """The JSON objects that follow one another from `position` on, as far as they are whole."""
    while (gap := _GAP.match(text, position)) is not None:
        start = gap.end()
        try:
            _, position = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            return
        yield start, position
