"""One call on its way: what came in, what goes out first, and what is known of it meanwhile."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import Protocol

from gateway.dialects.base import Dialect
from gateway.directory import Client
from gateway.errors import GatewayError, RequestStalled, UpstreamUnavailable
from gateway.upstreams.base import Headers
from gateway.upstreams.headers import returned


def new_call_id() -> str:
    """`call_` and 32 hex digits: 48 bits of milliseconds, 80 random ones, so that ids sort by time. No secret."""
    return f"call_{time.time_ns() // 1_000_000:012x}{random.getrandbits(80):020x}"


class Reply(Protocol):
    """Where an answer goes. Raises ClientLeft where its client has gone."""

    async def begin(self, head: Head) -> None:
        """Send the head; where it holds a body, that is the whole answer."""
        ...

    async def send(self, body: bytes) -> None:
        """Send whole frames of an answer that has begun; returns when there is room for more."""
        ...


@dataclass(frozen=True, slots=True)
class Incoming:
    """A client's request as the endpoint took it in. `path` is what follows `/v1`, with its query string.

    `judges_only` marks endpoints whose answer is no completion (token counts): request policies judge them, and
    a refusal is an error, because there is no turn that could say it.
    """

    dialect: Dialect
    client: Client
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    judges_only: bool = False
    id: str = field(default_factory=new_call_id)
    began: float = field(default_factory=perf_counter)


@dataclass(slots=True)
class Clock:
    """Where a call's time went, in seconds since it began; zero means that it did not come to that."""

    began: float
    sent: float = 0.0
    answered: float = 0.0
    first_event: float = 0.0
    held: float = 0.0
    wasted: float = 0.0

    def now(self) -> float:
        return perf_counter() - self.began

    @property
    def upstream(self) -> float:
        """Seconds until the upstream's head had come, and those of attempts that came to nothing."""
        return self.wasted + max(self.answered - self.sent, 0.0)

    def again(self, held: float) -> None:
        """An attempt came to nothing; `held` are the seconds in verdicts by now, which are counted apart."""
        self.wasted += max(self.now() - self.sent - (held - self.held), 0.0)
        self.sent = self.answered = self.first_event = 0.0

    def overhead(self, until: float) -> float:
        """Seconds of our own up to `until`: neither the upstream's nor spent in verdicts."""
        return max(until - self.upstream - self.held, 0.0)

    def server_timing(self) -> str:
        """The `server-timing` header, as things stand when the head leaves."""
        now = self.now()
        return (
            f"upstream;dur={self.upstream * 1000:.2f}, hold;dur={self.held * 1000:.2f}, "
            f"overhead;dur={self.overhead(now) * 1000:.2f}"
        )


@dataclass(frozen=True, slots=True)
class Head:
    """Status and headers of an answer. `body` is the whole of it, or None where it follows piece by piece.

    `keepalive` is what may be sent between the pieces while nothing else comes; empty for nothing.
    """

    status: int
    headers: Headers
    body: bytes | None = None
    keepalive: bytes = b""

    @classmethod
    def of_error(cls, error: GatewayError, dialect: Dialect, call_id: str) -> Head:
        """`error` as a whole answer, with the headers that tell a client whether to try again."""
        if isinstance(error, UpstreamUnavailable):
            return cls(error.status, returned(error.headers), error.body)
        headers = [("content-type", "application/json")]
        if isinstance(error, RequestStalled):
            headers.append(("connection", "close"))
        if error.should_retry is not None:
            headers.append(("x-should-retry", "true" if error.should_retry else "false"))
        if error.retry_after is not None:
            headers.append(("retry-after", str(max(1, math.ceil(error.retry_after)))))
        return cls(error.status, headers, dialect.write_error(error, call_id))

    def signed(self, call_id: str, clock: Clock, policies: str = "") -> Head:
        """With the three headers that every `/v1` answer carries; `policies` are those that judge the call."""
        ours = [
            ("x-luthien-call-id", call_id),
            ("x-luthien-policies", policies),
            ("server-timing", clock.server_timing()),
        ]
        return Head(self.status, [*self.headers, *ours], self.body, self.keepalive)
