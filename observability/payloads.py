"""Bodies stored by content: what a body shares with an earlier one is stored once. Pure.

A request of an agent repeats the whole conversation, so a body is kept as a *recipe*: pieces whose bytes, one after the
other, are the body. A piece is a literal, a blob (a message, system block or tool definition, bytes as they stood), or
a slice of an earlier body, the parent. Where to cut is found by looking at the JSON, but a recipe is exact wherever it
is cut, so that bytes which are not JSON, or odd JSON, cost space and never truth.

A blob and a body are named by the SHA-256 of their bytes, however they are stored.
"""

from __future__ import annotations

import hashlib
import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

MIN_PART = 512
"""Elements shorter than this (bytes) stand in the recipe itself: a row of their own would cost more."""
MIN_SPLIT = 16 * 1024
"""A body shorter than this (bytes) that has no parent is stored whole."""
MAX_DEPTH = 32
"""How many parents may follow one another, which bounds what reassembly reads."""

_ARRAY = re.compile(r'"(?:messages|system|tools|functions|input)"\s*:\s*\[')
_GAP = re.compile(r"[\s,]*(?=\{)")
_DECODER = json.JSONDecoder(strict=False)

Span = tuple[int, int]


class PayloadDamaged(ValueError):
    """Stored bytes are missing, or are not what their name says."""


@dataclass(frozen=True, slots=True)
class Part:
    """A blob of its own: the bytes `start` to `end` of the body."""

    digest: bytes
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Slice:
    """The `length` bytes from `start` of another body."""

    digest: bytes
    start: int
    length: int


Piece = bytes | Part | Slice


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


def name(raw: bytes) -> bytes:
    """The digest under which `raw` is stored."""
    return hashlib.sha256(raw).digest()


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


def encode(pieces: Iterable[Piece]) -> bytes:
    """The recipe as bytes: per piece a tag, a digest where it has one, and lengths as varints."""
    out = bytearray()
    for piece in pieces:
        match piece:
            case Part():
                out += b"\1" + piece.digest
            case Slice():
                out += b"\2" + piece.digest + varint(piece.start) + varint(piece.length)
            case _:
                out += b"\0" + varint(len(piece)) + piece
    return bytes(out)


def decode(recipe: bytes) -> Iterator[bytes | Slice]:
    """The pieces of an encoded recipe; a part comes back as a slice of unknown length (-1). Raises PayloadDamaged."""
    position = 0
    while position < len(recipe):
        tag, position = recipe[position], position + 1
        digest = recipe[position : position + 32]
        if tag == 0:
            length, position = read_varint(recipe, position)
            yield recipe[position : position + length]
            position += length
        elif tag == 1:
            position += 32
            yield Slice(digest, 0, -1)
        elif tag == 2:
            start, position = read_varint(recipe, position + 32)
            length, position = read_varint(recipe, position)
            yield Slice(digest, start, length)
        else:
            raise PayloadDamaged("a recipe has a piece of an unknown kind")


def targets(recipe: bytes) -> set[bytes]:
    """The digests that an encoded recipe needs."""
    return {piece.digest for piece in decode(recipe) if isinstance(piece, Slice)}


Load = Callable[[bytes], tuple[bool, bytes]]
"""Given a digest: whether it is a recipe, and its bytes, decompressed. Raises PayloadDamaged where it is missing."""


def assemble(digest: bytes, load: Load) -> bytes:
    """The body of that name, checked against it. Raises PayloadDamaged."""
    known: dict[bytes, bytes] = {}
    raw = _assemble(digest, load, known, MAX_DEPTH + 2)
    if hashlib.sha256(raw).digest() != digest:
        raise PayloadDamaged("a stored body is not what its name says")
    return raw


def _assemble(digest: bytes, load: Load, known: dict[bytes, bytes], depth: int) -> bytes:
    if digest in known:
        return known[digest]
    if depth == 0:
        raise PayloadDamaged("a recipe refers to itself")
    recipe, data = load(digest)
    if recipe:
        data = b"".join(_piece_bytes(piece, load, known, depth - 1) for piece in decode(data))
    known[digest] = data
    return data


def _piece_bytes(piece: bytes | Slice, load: Load, known: dict[bytes, bytes], depth: int) -> bytes:
    if isinstance(piece, bytes):
        return piece
    whole = _assemble(piece.digest, load, known, depth)
    return whole if piece.length < 0 else whole[piece.start : piece.start + piece.length]


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
    head = common(shorter, lambda a, b: raw[a:b] == other[a:b])
    cuts = [cut for span in parent.elements for cut in span]
    place = bisect_right(cuts, head)
    head = cuts[place - 1] if place else 0
    long, short = len(raw), size
    tail = common(shorter - head, lambda a, b: raw[long - b : long - a] == other[short - b : short - a])
    place = bisect_left(cuts, size - tail)
    tail = size - cuts[place] if place < len(cuts) else tail
    return _Shared(parent, head, tail)


def common(limit: int, same: Callable[[int, int], bool]) -> int:
    """How many of `limit` bytes agree, from the first on, by bisection; `same(a, b)` compares bytes a to b."""
    low, high = 0, limit
    if same(0, limit):
        return limit
    while high - low > 1:
        middle = (low + high) // 2
        if same(low, middle):
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


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def read_varint(data: bytes, position: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        if position >= len(data) or shift > 63:
            raise PayloadDamaged("a recipe ends in the middle of a piece")
        byte = data[position]
        number |= (byte & 127) << shift
        position, shift = position + 1, shift + 7
        if byte < 128:
            return number, position
