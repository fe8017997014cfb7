"""What litellm brought, as the pipeline reads an upstream's answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from gateway.errors import UpstreamStalled, UpstreamTruncated
from gateway.upstreams.base import Headers
from gateway.upstreams.litellm import answering, failures


class WholeAnswer:
    """An answer that is all here: a completion, embeddings, or an error."""

    def __init__(self, status: int, headers: Headers, body: bytes) -> None:
        self.status = status
        self.headers = headers
        self._body = body

    def at_hand(self) -> bytes:
        return b""

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        yield self._body

    async def read(self) -> bytes:
        return self._body

    async def close(self) -> None:
        """There is nothing to close."""


class StreamedAnswer:
    """A stream of litellm's, an event a chunk, which comes from the HTTP answers `opened`.

    `idle` is how long it may be silent, in seconds.
    """

    status = 200

    def __init__(
        self, provider: str, stream: Any, opened: list[Any], headers: Headers, idle: float, secret: str
    ) -> None:
        self.headers = headers
        self._provider = provider
        self._stream = stream
        self._opened = opened
        self._idle = idle
        self._secret = secret

    def at_hand(self) -> bytes:
        return b""

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        try:
            while (chunk := await self._next()) is not None:
                yield answering.frame(chunk)
            yield answering.DONE
        except failures.MidStream as failure:
            yield failure.told.frame

    async def read(self) -> bytes:
        return b"".join([chunk async for chunk in self.chunks()])

    async def close(self) -> None:
        """Also closes the connection, where the answer is not at its end."""
        for response in self._opened:
            await response.aclose()
        await self._stream.aclose()

    async def _next(self) -> dict[str, Any] | None:
        """The next chunk, None at the end. Raises UpstreamStalled, UpstreamTruncated and MidStream."""
        try:
            async with asyncio.timeout(self._idle):
                chunk = await anext(self._stream, None)
        except TimeoutError:
            raise UpstreamStalled(
                f"The provider {self._provider} sent nothing for {self._idle:g} s in the middle of its answer."
            ) from None
        except Exception as error:
            raise failures.MidStream(failures.broken(self._provider, error, self._secret)) from None
        if chunk is None:
            return None
        said: dict[str, Any] = chunk.model_dump(exclude_none=True)
        if self._made_up_end(said):
            raise UpstreamTruncated(f"The provider {self._provider} closed its answer before its end.")
        return said

    def _made_up_end(self, said: dict[str, Any]) -> bool:
        """litellm ends a stream that has no end with a finish reason of its own.

        Of Gemini's streams it has one from the first chunk on: those are cut only where their HTTP answer is.
        """
        finished = any(choice.get("finish_reason") for choice in said.get("choices", ()))
        stream = self._stream
        return finished and not (stream.received_finish_reason or stream.intermittent_finish_reason)
