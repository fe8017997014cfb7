"""The demo provider within the gateway's own process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

from gateway.errors import UpstreamStalled, UpstreamTruncated
from gateway.upstreams.base import Outgoing
from gateway.upstreams.demo.provider import Reply, reply
from gateway.upstreams.demo.wire import Close, Wait

_CHUNK = 64 * 1024


class DemoUpstream:
    """Answers as a provider over the network would; `first_byte` and `idle` are its timeouts, in seconds."""

    def __init__(self, provider: str = "demo", first_byte: float = 600, idle: float = 300) -> None:
        self.provider = provider
        self._first_byte = first_byte
        self._idle = idle

    @asynccontextmanager
    async def send(self, outgoing: Outgoing) -> AsyncIterator[DemoAnswer]:
        answer = reply(outgoing.method, outgoing.path, outgoing.headers, outgoing.body)
        await asyncio.sleep(min(answer.delay, self._first_byte))
        if answer.delay > self._first_byte:
            raise UpstreamStalled(
                f"The provider {self.provider} did not begin to answer within {self._first_byte:g} s."
            )
        yield DemoAnswer(self.provider, answer, self._idle)

    async def close(self) -> None:
        """There is nothing to close."""


class DemoAnswer:
    def __init__(self, provider: str, answer: Reply, idle: float) -> None:
        self.status = answer.status
        self.headers = answer.headers
        self._provider = provider
        self._reply = answer
        self._idle = idle

    def at_hand(self) -> bytes:
        return b""

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """All that lies between two silences at once, as a socket would bring it."""
        async with aclosing(played(self._reply, self._idle)) as chunks:
            async for chunk in chunks:
                if chunk is None:
                    raise UpstreamTruncated(f"The provider {self._provider} closed its answer before its end.")
                if not chunk:
                    raise UpstreamStalled(
                        f"The provider {self._provider} sent nothing for {self._idle:g} s in the middle of its answer."
                    )
                yield chunk

    async def read(self) -> bytes:
        return b"".join([chunk async for chunk in self.chunks()])


async def played(answer: Reply, longest: float = float("inf")) -> AsyncGenerator[bytes | None, None]:
    """The body in time: chunks, None where the connection closes early, and b"" where a silence reached `longest`.

    Silences are kept against the clock, so that a paced stream does not fall behind by what its events cost.
    """
    loop = asyncio.get_running_loop()
    due = loop.time()
    pending = bytearray()
    for part in answer.parts:
        if isinstance(part, bytes):
            pending += part
        if pending and (not isinstance(part, bytes) or len(pending) >= _CHUNK):
            yield bytes(pending)
            pending.clear()
        if isinstance(part, Wait):
            due += min(part.seconds, longest)
            await asyncio.sleep(due - loop.time())
            if part.seconds >= longest:
                yield b""
        elif isinstance(part, Close):
            yield None
            return
    if pending:
        yield bytes(pending)
