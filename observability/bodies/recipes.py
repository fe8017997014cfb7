"""Recipes: how a stored body is made of others. Pure.

A recipe is pieces whose bytes, one after the other, are the body: a literal, a blob (a message, system block or tool
definition), or a slice of an earlier body, the parent. A blob and a body are named by the SHA-256 of their bytes,
however they are stored, and a body that was put together is checked against its name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

MAX_DEPTH = 32
"""How many parents may follow one another, which bounds what reassembly reads."""


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


def name(raw: bytes) -> bytes:
    """The digest under which `raw` is stored."""
    return hashlib.sha256(raw).digest()


def encode(pieces: Iterable[Piece]) -> bytes:
    """The recipe as bytes: per piece a tag, a digest where it has one, and lengths as varints."""
    out: list[bytes] = []
    for piece in pieces:
        if isinstance(piece, bytes):
            out += (b"\0", _varint(len(piece)), piece)
        elif isinstance(piece, Slice):
            out += (b"\2", piece.digest, _varint(piece.start), _varint(piece.length))
        else:
            out += (b"\1", piece.digest)
    return b"".join(out)


def decode(recipe: bytes) -> Iterator[bytes | Slice]:
    """The pieces of an encoded recipe; a part comes back as a slice of unknown length (-1). Raises PayloadDamaged."""
    position = 0
    while position < len(recipe):
        tag, position = recipe[position], position + 1
        digest = recipe[position : position + 32]
        if tag == 0:
            length, position = _read_varint(recipe, position)
            yield recipe[position : position + length]
            position += length
        elif tag == 1:
            position += 32
            yield Slice(digest, 0, -1)
        elif tag == 2:
            start, position = _read_varint(recipe, position + 32)
            length, position = _read_varint(recipe, position)
            yield Slice(digest, start, length)
        else:
            raise PayloadDamaged("a recipe has a piece of an unknown kind")


def targets(recipe: bytes) -> set[bytes]:
    """The digests that an encoded recipe needs."""
    return {piece.digest for piece in decode(recipe) if isinstance(piece, Slice)}


def inlined(recipe: bytes, gone: bytes, made_of: Sequence[tuple[bytes | Slice, int]]) -> bytes:
    """The encoded recipe with each slice of the body `gone` replaced by what that is made of: pieces and their sizes.

    What it makes is the same to the byte.
    """
    pieces: list[Piece] = []
    for piece in decode(recipe):
        if isinstance(piece, Slice) and piece.digest == gone:
            pieces.extend(map(_as_piece, _window(made_of, piece.start, piece.length)))
        else:
            pieces.append(_as_piece(piece))
    return encode(pieces)


def _window(pieces: Sequence[tuple[bytes | Slice, int]], start: int, length: int) -> Iterator[bytes | Slice]:
    position, end = 0, sum(size for _, size in pieces) if length < 0 else start + length
    for piece, size in pieces:
        first, last = max(start - position, 0), min(end - position, size)
        position += size
        if first >= last:
            continue
        if isinstance(piece, bytes):
            yield piece[first:last]
        elif last - first == size:
            yield piece
        else:
            yield Slice(piece.digest, piece.start + first, last - first)


def _as_piece(piece: bytes | Slice) -> Piece:
    return Part(piece.digest, 0, 0) if isinstance(piece, Slice) and piece.length < 0 else piece


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


def _varint(number: int) -> bytes:
    if number < 1 << 14:  # nearly all of them
        return bytes((number & 127 | 128, number >> 7)) if number > 127 else bytes((number,))
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def _read_varint(data: bytes, position: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        if position >= len(data) or shift > 63:
            raise PayloadDamaged("a recipe ends in the middle of a piece")
        byte = data[position]
        number |= (byte & 127) << shift
        position, shift = position + 1, shift + 7
        if byte < 128:
            return number, position
