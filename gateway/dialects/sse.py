"""Server-sent events: bytes in, whole frames out. Every byte that came in belongs to one frame."""

from __future__ import annotations

import re

from gateway.errors import UpstreamGarbled

MAX_FRAME = 32 * 1024 * 1024
_BOM = b"\xef\xbb\xbf"
_LINE_END = re.compile(rb"\r\n|\n|\r")
_FRAME_END = re.compile(rb"(?:\r?\n|\r(?!\n))(?:\r?\n|\r(?!\n))")
_LONGEST_END = 4

RawFrame = tuple[bytes, bytes | None]
"""A frame's bytes, up to and with the blank line that ends it, and its data; None if it has no data line."""


class FrameSplitter:
    """Cuts a byte stream into frames, however it was cut on its way. Work is linear in the bytes fed."""

    __slots__ = ("_carriage", "_first", "_rest", "_seen")

    def __init__(self) -> None:
        self._rest = bytearray()
        self._seen = 0
        self._carriage = False
        self._first = True

    @property
    def is_empty(self) -> bool:
        """Whether the next chunk begins a frame."""
        return not self._rest

    def feed(self, chunk: bytes) -> list[RawFrame]:
        """The frames that `chunk` completes. Raises UpstreamGarbled when one frame grows past 32 MiB."""
        if not self._carriage and b"\r" in chunk:
            self._carriage = True
        if self._rest:
            self._rest += chunk
            frames, end = self._split(self._rest, max(0, self._seen - _LONGEST_END + 1))
            del self._rest[:end]
        else:
            frames, end = self._split(chunk, 0)
            if end == len(chunk):
                return frames
            self._rest += chunk[end:]
        self._seen = len(self._rest)
        if self._seen > MAX_FRAME:
            raise UpstreamGarbled("an event of the provider's stream is larger than 32 MiB")
        return frames

    def close(self) -> list[RawFrame]:
        """What is left when the stream is over: a last frame without its blank line, or nothing."""
        raw = bytes(self._rest)
        self._rest.clear()
        return [self._frame(raw)] if raw else []

    def _split(self, data: bytes | bytearray, scan: int) -> tuple[list[RawFrame], int]:
        frames: list[RawFrame] = []
        begin = 0
        while (end := self._find_end(data, scan)) > 0:
            frames.append(self._frame(bytes(data[begin:end])))
            begin = scan = end
        return frames, begin

    def _find_end(self, data: bytes | bytearray, scan: int) -> int:
        """Where the frame ends that is searched from `scan`; 0 if it does not end yet."""
        if not self._carriage:
            place = data.find(b"\n\n", scan)
            return place + 2 if place >= 0 else 0
        match = _FRAME_END.search(data, scan)
        # Of a line end in two bytes, the second may still be on its way.
        if match is None or (match.end() == len(data) and match[0].endswith(b"\n\r")):
            return 0
        return match.end()

    def _frame(self, raw: bytes) -> RawFrame:
        if self._first:
            self._first = False
            return raw, _slow_data(raw.removeprefix(_BOM))
        return raw, _slow_data(raw) if self._carriage else _data(raw)


def _data(raw: bytes) -> bytes | None:
    """The data of a frame without carriage returns: at once where it has the shape that providers write."""
    newline = raw.find(b"\n")
    last = len(raw) - 2
    if newline == last and raw.startswith(b"data:"):
        return raw[5:last]
    named = raw.startswith(b"event:") and raw.startswith(b"data:", newline + 1)
    if named and raw.find(b"\n", newline + 1) == last:
        return raw[newline + 6 : last]
    return _slow_data(raw)


def _slow_data(raw: bytes) -> bytes | None:
    lines = [_value(line) for line in _LINE_END.split(raw) if line == b"data" or line.startswith(b"data:")]
    return b"\n".join(lines) if lines else None


def _value(line: bytes) -> bytes:
    return line[5:].removeprefix(b" ")
