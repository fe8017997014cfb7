"""The usual frame of a stream: most frames differ from the one before in a text, and in nothing else. Pure.

A template is learned from a frame that was read in full. A frame that matches it is the same JSON with another text, so
it is as clear as that one was, and nothing of it has to be parsed, looked through or written again.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Self

from policies.events import BlockDelta, Event, Frame

from .wire_json import Json, dumps

_PLAIN = re.compile(rb'[^"\\\x00-\x1f]+')
"""A text that stands in JSON as it is."""
_BEFORE_A_KEY = (b"{", b",", b", ")
_PROBE = "\0text\0"


class Template:
    """Reads frames into deltas. `source` is the JSON of the frame that it was learned from, its text included.

    A frame is head, text, pad, noise and tail; the noise is what a provider adds to hide a text's length, any number of
    the bytes in `noise`.
    """

    __slots__ = ("_head", "_noise", "_pad", "_tail", "_written", "source")

    def __init__(self, source: Json, head: bytes, pad: bytes, noise: bytes, tail: bytes) -> None:
        self.source = source
        self._head, self._pad, self._noise, self._tail = head, pad, noise, tail
        self._written: Template | None = None

    @classmethod
    def learn(
        cls, raw: bytes, name: bytes, text: str, source: Json, noise: bytes = b"", tail: bytes = b""
    ) -> Self | None:
        """The template of the frame `raw`, whose member `name` is `text`; None where it cannot be told where that is.

        With `noise` the frame ends in some of it and then `tail`.
        """
        key = b'"' + name + b'"'
        place = raw.find(key)
        start = place + len(key) + 1
        if raw.startswith(b" ", start):
            start += 1
        literal = b'"' + text.encode("utf-8", "surrogatepass") + b'"'
        head = raw[: start + 1]
        is_clear = is_spelled_once(raw, key) and raw.startswith(b":", place + len(key))
        if not is_clear or not raw[:place].endswith(_BEFORE_A_KEY):
            return None
        if not raw.startswith(literal, start) or _PLAIN.fullmatch(literal[1:-1]) is None:
            return None
        rest = raw[start + len(literal) - 1 :]
        if not noise:
            return cls(source, head, b"", b"", rest)
        pad = rest.removesuffix(tail).rstrip(noise)
        return cls(source, head, pad, noise, tail) if pad and rest.endswith(tail) else None

    def written_as(self, other: Self | None) -> Self | None:
        """This template, for frames that are passed on in the shape of `other`; None without one."""
        if other is None:
            return None
        self._written = other
        return self

    def read(self, raw: bytes) -> BlockDelta | None:
        """The delta that `raw` is; None if it is anything else."""
        plain = _PLAIN.match(raw, len(self._head)) if raw.startswith(self._head) else None
        if plain is None:
            return None
        core, behind, end = plain.group(), plain.end() + len(self._pad), len(raw) - len(self._tail)
        noise = raw[behind:end]
        if end < behind or not raw.startswith(self._pad, plain.end()) or not raw.endswith(self._tail):
            return None
        if noise.strip(self._noise):
            return None
        try:
            text = core.decode()
        except UnicodeDecodeError:
            return None
        written = self._written
        if written is not None:
            raw = b"".join((written._head, core, written._pad, noise, written._tail))
        return BlockDelta(text, "", Frame(raw), self.source)


def is_spelled_once(raw: bytes, key: bytes) -> bool:
    """Whether the quoted `key` stands in the JSON `raw` once, and nowhere by escapes, which clients read as well."""
    return raw.count(key) == 1 and b"\\" not in raw


class Mould:
    """Writes deltas. Those that came by one template have one source, and so the same is written around their texts."""

    __slots__ = ("_after", "_before", "_source")

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Something else than the source decides from here on what is written."""
        self._source: object = self
        self._before = self._after = b""

    def again(self, event: Event) -> bytes:
        """What `write` would make of a delta of the same source as those before, made anew; nothing for others."""
        if event.source is not self._source or not self._before or type(event) is not BlockDelta:
            return b""
        if event.frame is not None or event.signature or not event.text:
            return b""
        return self._before + dumps(event.text) + self._after

    def write(self, source: object, text: str, write: Callable[[str], bytes]) -> bytes:
        """What `write` makes of `text`; it is asked at the first two texts of a source, and then no more."""
        if source is not self._source:
            self._source, self._before = source, b""
            return write(text)
        if not self._before:
            parts = write(_PROBE).split(dumps(_PROBE))
            if len(parts) != 2:
                return write(text)
            self._before, self._after = parts
        return self._before + dumps(text) + self._after
