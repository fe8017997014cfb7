"""Calls over HTTP to a provider that speaks one of our dialects itself: one pool of connections a provider."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Literal, TypeVar

from gateway.errors import UpstreamGarbled, UpstreamStalled, UpstreamTruncated, UpstreamUnreachable
from gateway.upstreams.base import Headers, Outgoing
from gateway.upstreams.encodings import Decoding
from gateway.upstreams.headers import CREDENTIALS, returned
from gateway.upstreams.http1 import Connection, ConnectionEnded, NotHTTP
from gateway.upstreams.pool import Address, AddressRefused, Pool
from gateway.upstreams.silence import Silence

Body = TypeVar("Body", bytes, bytearray)
MAX_BODY = 64 * 1024 * 1024
"""Bytes of a whole decoded body. A stream has no limit."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: to connect, from the request to the answer's head, and of silence within the answer."""

    connect: float = 10
    first_byte: float = 600
    idle: float = 300


class NativeUpstream:
    """One provider. `api_key` may be empty; `extra_headers` and the credential go over what the client sent.

    `allows` tells of an IP address whether it may be connected to; None for all of them.
    """

    def __init__(
        self,
        provider: str,
        dialect: Literal["anthropic", "openai"],
        base_url: str,
        api_key: str = "",
        extra_headers: Headers | None = None,
        timeouts: Timeouts | None = None,
        allows: Callable[[str], bool] | None = None,
    ) -> None:
        self.provider = provider
        self._base = _base(dialect, base_url)
        self._timeouts = timeouts or Timeouts()
        self._allows = allows
        self._own_headers = [(name.lower(), value) for name, value in extra_headers or []]
        self._credential = _credential(dialect, api_key) if api_key else None
        self._replaced = CREDENTIALS.union(name for name, _ in self._own_headers)
        self._pool: Pool | None = None
        self._calls = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def send(self, outgoing: Outgoing) -> _Sending:
        return _Sending(self, outgoing)

    async def close(self) -> None:
        """Close the pooled connections once the calls on them are over; at once when cancelled."""
        try:
            await self._idle.wait()
        finally:
            if self._pool is not None:
                self._pool.close()

    def _begin(self) -> None:
        self._calls += 1
        self._idle.clear()

    def _end(self) -> None:
        self._calls -= 1
        if not self._calls:
            self._idle.set()

    async def _connection(self) -> Connection:
        """A connection for one call. Raises UpstreamUnreachable."""
        try:
            if self._pool is None:
                self._pool = Pool(Address.of(self._base), self._allows)
            idle = self._pool.take()
            if idle is not None:
                return idle
            async with asyncio.timeout(self._timeouts.connect):
                return await self._pool.dial()
        except (OSError, ValueError) as error:
            problem = _why_unreachable(error, self._timeouts.connect)
            raise UpstreamUnreachable(f"The provider {self.provider} {problem}") from None

    async def _head(self, connection: Connection, outgoing: Outgoing) -> None:
        """Send, and wait for the answer's head. Raises UpstreamUnreachable, UpstreamStalled, UpstreamGarbled."""
        connection.send(self._request(outgoing), outgoing.body)
        # A timer costs a third of what asyncio.timeout does.
        timer = connection.loop.call_later(self._timeouts.first_byte, self._give_up, connection)
        try:
            await connection.head()
        except ConnectionEnded:
            problem = "closed the connection before it answered."
            raise UpstreamUnreachable(f"The provider {self.provider} {problem}") from None
        except NotHTTP:
            raise UpstreamGarbled(f"The provider {self.provider} did not answer in HTTP.") from None
        finally:
            timer.cancel()
        if 300 <= connection.status < 400:
            raise UpstreamGarbled(f"The provider {self.provider} answered with a redirect: check its base URL.")

    def _give_up(self, connection: Connection) -> None:
        waits = self._timeouts.first_byte
        connection.fail(UpstreamStalled(f"The provider {self.provider} did not begin to answer within {waits:g} s."))

    def _request(self, outgoing: Outgoing) -> bytes:
        """The request line and headers. Raises UpstreamUnreachable where a configured one cannot be sent."""
        assert self._pool is not None
        address, replaced = self._pool.address, self._replaced
        lines = [f"{outgoing.method} {address.path}{outgoing.path} HTTP/1.1", f"host: {address.authority}"]
        lines += [f"{name}: {value}" for name, value in outgoing.headers if name not in replaced]
        lines += [f"{name}: {value}" for name, value in self._own_headers]
        if credential := outgoing.credential or self._credential:
            lines.append(f"{credential[0]}: {credential[1]}")
        if outgoing.body or outgoing.method != "GET":
            lines.append(f"content-length: {len(outgoing.body)}")
        head = "\r\n".join(lines)
        if head.count("\n") >= len(lines) or head.count("\r") >= len(lines) or "\0" in head:
            raise UpstreamUnreachable(f"The provider {self.provider} cannot be asked: a header has a line break in it.")
        return head.encode("utf-8", "surrogateescape") + b"\r\n\r\n"


class _Sending:
    """One call, for as long as its answer is wanted. A class, because a generator would cost more."""

    __slots__ = ("_connection", "_outgoing", "_upstream")

    def __init__(self, upstream: NativeUpstream, outgoing: Outgoing) -> None:
        self._upstream = upstream
        self._outgoing = outgoing
        self._connection: Connection | None = None

    async def __aenter__(self) -> NativeAnswer:
        upstream = self._upstream
        upstream._begin()
        try:
            connection = self._connection = await upstream._connection()
            await upstream._head(connection, self._outgoing)
            return NativeAnswer(upstream.provider, connection, upstream._timeouts.idle)
        except BaseException:
            self._end()
            raise

    async def __aexit__(self, *_: object) -> None:
        self._end()

    def _end(self) -> None:
        upstream = self._upstream
        try:
            if self._connection is not None and upstream._pool is not None:
                # Closes the connection where the body is not at its end: nothing else stops the provider.
                upstream._pool.give_back(self._connection)
        finally:
            upstream._end()


class NativeAnswer:
    """The head of an answer. Its body can be had once, as `chunks` or by `read`."""

    def __init__(self, provider: str, connection: Connection, idle: float) -> None:
        self.status = connection.status
        self.headers: Headers = returned(connection.headers)
        self._provider = provider
        self._connection = connection
        self._idle = idle
        encoding = ",".join(value for name, value in connection.headers if name == "content-encoding")
        self._decoding = Decoding(provider, encoding) if encoding else None

    def at_hand(self) -> bytes:
        return self._connection.take() if self._decoding is None else b""

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """What each read of the socket brought, decoded."""
        connection, decoding = self._connection, self._decoding
        silence = Silence(self._provider, connection.fail, self._idle)
        try:
            while (chunk := connection.take()) or not connection.whole:
                if not chunk:
                    silence.begin()
                    await connection.more()
                    silence.end()
                elif decoding is None:
                    yield chunk
                else:
                    for piece in decoding.decode(chunk):
                        yield piece
        except (ConnectionEnded, NotHTTP):
            raise UpstreamTruncated(f"The provider {self._provider} closed its answer before its end.") from None
        finally:
            silence.close()
        if self._decoding is not None:
            self._decoding.close()

    async def read(self) -> bytes:
        if self._connection.whole and self._decoding is None:
            return self._bounded(await self._connection.read())  # mostly it came with its head
        body = bytearray()
        async with aclosing(self.chunks()) as chunks:
            async for chunk in chunks:
                body += chunk
                self._bounded(body)
        return bytes(body)

    def _bounded(self, body: Body) -> Body:
        if len(body) > MAX_BODY:
            raise UpstreamGarbled(f"The provider {self._provider} answered with more than 64 MiB.")
        return body


def _base(dialect: str, base_url: str) -> str:
    """The URL that a path such as `/messages` is put behind. Anthropic's may be given with or without `/v1`."""
    base = base_url.rstrip("/")
    return base.removesuffix("/v1") + "/v1" if dialect == "anthropic" else base


def _credential(dialect: str, api_key: str) -> tuple[str, str]:
    return ("x-api-key", api_key) if dialect == "anthropic" else ("authorization", f"Bearer {api_key}")


def _why_unreachable(error: Exception, connect: float) -> str:
    """Names no address and no exception."""
    match error:
        case TimeoutError():
            return f"could not be reached within {connect:g} s."
        case ssl.SSLCertVerificationError():
            return "has a certificate that is not trusted."
        case socket.gaierror():
            return "could not be found: its host name has no address."
        case AddressRefused():
            return "is at a private address, which LUTHIEN_PRIVATE_HOSTS does not list."
        case OSError():
            return "could not be reached."
    return "could not be reached: its base URL is not valid."
