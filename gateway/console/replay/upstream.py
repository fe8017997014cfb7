"""An upstream that has one answer, the recorded one, and gives it once."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

from gateway.dialects.sse import FrameSplitter
from gateway.errors import UpstreamError
from gateway.upstreams.base import Outgoing

from .material import Material


class NotOnRecord(UpstreamError):
    """The policies let a question through to which no answer is on record."""


class RecordedUpstream:
    """Raises NotOnRecord for what was never answered, and for a second question."""

    def __init__(self, material: Material) -> None:
        self.provider = material.provider
        self._material = material
        self._given = material.answer is None

    @asynccontextmanager
    async def send(self, outgoing: Outgoing) -> AsyncIterator[RecordedAnswer]:
        if self._given:
            raise NotOnRecord("What a provider would answer here is not on record.")
        self._given = True
        yield RecordedAnswer(self._material)

    async def close(self) -> None:
        """There is nothing to close."""


class RecordedAnswer:
    """A stream comes a frame at a time, so that each event is judged as it would have been."""

    def __init__(self, material: Material) -> None:
        self.status = material.status
        self.headers = material.answer_headers
        self._body = material.answer or b""

    def at_hand(self) -> bytes:
        return b""

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        splitter = FrameSplitter()
        for raw, _ in (*splitter.feed(self._body), *splitter.close()):
            yield raw

    async def read(self) -> bytes:
        return self._body
