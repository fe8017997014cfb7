"""What an upstream is: it carries one request to a provider and brings the answer's bytes back, nothing else."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

Headers = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request as it leaves: `path` begins behind the provider's base URL and keeps the client's query string.

    `headers` are the client's, filtered; the upstream puts the provider's credential on last: its own, or the one that
    the client brought along, given as the `credential` header.
    """

    method: str
    path: str
    headers: Headers
    body: bytes
    stream: bool
    credential: tuple[str, str] | None = field(default=None, repr=False)


class Answer(Protocol):
    """The head of an upstream's answer; its body is still on the way. Header names are lower case."""

    status: int
    headers: Headers

    def at_hand(self) -> bytes:
        """What of the decoded body is here already, and now counts as read; empty where that takes any waiting."""
        ...

    def chunks(self) -> AsyncGenerator[bytes, None]:
        """The decoded body as it arrives. Raises UpstreamStalled, UpstreamTruncated."""
        ...

    async def read(self) -> bytes:
        """The whole decoded body. Raises as `chunks`, and UpstreamGarbled where it is too large."""
        ...


class Upstream(Protocol):
    provider: str
    """The provider's name, as on the record."""

    def send(self, outgoing: Outgoing) -> AbstractAsyncContextManager[Answer]:
        """Send, and wait for the head. Leaving the context cancels what is still on the way.

        Raises UpstreamUnreachable, UpstreamStalled.
        """
        ...

    async def close(self) -> None: ...
