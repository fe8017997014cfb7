"""Calls over HTTP to a provider that speaks one of our dialects itself: one session a provider, its sockets pooled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Literal

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from gateway.errors import UpstreamError, UpstreamGarbled, UpstreamStalled, UpstreamTruncated, UpstreamUnreachable
from gateway.upstreams.base import Headers, Outgoing
from gateway.upstreams.encodings import Decoding
from gateway.upstreams.headers import CREDENTIALS, returned
from gateway.upstreams.silence import Silence

MAX_BODY = 64 * 1024 * 1024
"""Bytes of a whole decoded body. A stream has no limit."""
_MAX_HEAD_FIELD = 64 * 1024
_KEEP_ALIVE = 30.0
_ADDED_BY_AIOHTTP = ("user-agent", "accept", "accept-encoding", "content-type")


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: to connect, from the request to the answer's head, and of silence within the answer."""

    connect: float = 10
    first_byte: float = 600
    idle: float = 300


class NativeUpstream:
    """One provider. `api_key` may be empty; `extra_headers` and the credential go over what the client sent."""

    def __init__(
        self,
        provider: str,
        dialect: Literal["anthropic", "openai"],
        base_url: str,
        api_key: str = "",
        extra_headers: Headers | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        self.provider = provider
        self._base = _base(dialect, base_url)
        self._timeouts = timeouts or Timeouts()
        self._own_headers = [(name.lower(), value) for name, value in extra_headers or []]
        if api_key:
            self._own_headers.append(_credential(dialect, api_key))
        self._replaced = CREDENTIALS.union(name for name, _ in self._own_headers)
        self._session: aiohttp.ClientSession | None = None
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
            if self._session is not None:
                await self._session.close()

    def _begin(self) -> None:
        self._calls += 1
        self._idle.clear()

    def _end(self) -> None:
        self._calls -= 1
        if not self._calls:
            self._idle.set()

    async def _head(self, outgoing: Outgoing) -> aiohttp.ClientResponse:
        waits = self._timeouts
        try:
            async with asyncio.timeout(waits.connect + waits.first_byte):
                response = await self._request(outgoing)
        except (aiohttp.ClientError, ConnectionError) as error:
            raise _at_the_border(self.provider, waits, error) from None
        except TimeoutError:
            raise UpstreamStalled(
                f"The provider {self.provider} did not begin to answer within {waits.first_byte:g} s."
            ) from None
        if 300 <= response.status < 400:
            response.close()
            raise UpstreamGarbled(f"The provider {self.provider} answered with a redirect: check its base URL.")
        return response

    async def _request(self, outgoing: Outgoing) -> aiohttp.ClientResponse:
        headers = CIMultiDict([pair for pair in outgoing.headers if pair[0] not in self._replaced])
        headers.extend(self._own_headers)
        # To skip costs a copy of the headers; a client that sends all of these leaves nothing to skip.
        complete = all(name in headers for name in _ADDED_BY_AIOHTTP)
        return await self._open_session().request(
            outgoing.method,
            URL(self._base + outgoing.path, encoded=True),
            headers=headers,
            skip_auto_headers=None if complete else _ADDED_BY_AIOHTTP,
            data=outgoing.body or None,
            allow_redirects=False,
        )

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_ALIVE, ttl_dns_cache=60),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, connect=self._timeouts.connect),
                auto_decompress=False,
                trust_env=False,
                max_line_size=_MAX_HEAD_FIELD,
                max_field_size=_MAX_HEAD_FIELD,
            )
        return self._session


class _Sending:
    """One call, for as long as its answer is wanted. A class, because a generator would cost more."""

    __slots__ = ("_outgoing", "_response", "_upstream")

    def __init__(self, upstream: NativeUpstream, outgoing: Outgoing) -> None:
        self._upstream = upstream
        self._outgoing = outgoing
        self._response: aiohttp.ClientResponse | None = None

    async def __aenter__(self) -> NativeAnswer:
        upstream = self._upstream
        upstream._begin()
        try:
            self._response = await upstream._head(self._outgoing)
            return NativeAnswer(upstream.provider, self._response, upstream._timeouts.idle)
        except BaseException:
            self._end()
            raise

    async def __aexit__(self, *_: object) -> None:
        self._end()

    def _end(self) -> None:
        try:
            if self._response is not None:
                # Closes the connection where the body is not at its end: nothing else stops the provider.
                self._response.release()
        finally:
            self._upstream._end()


class NativeAnswer:
    """The head of an answer. Its body can be had once, as `chunks` or by `read`."""

    def __init__(self, provider: str, response: aiohttp.ClientResponse, idle: float) -> None:
        self.status = response.status
        self.headers: Headers = returned(response.headers.items())
        self._provider = provider
        self._content = response.content
        self._silence = Silence(provider, response.content, idle)
        encoding = response.headers.get("content-encoding", "")
        self._decoding = Decoding(provider, encoding) if encoding else None

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """What each read of the socket brought, decoded."""
        try:
            while chunk := await self._next():
                if self._decoding is None:
                    yield chunk
                else:
                    for piece in self._decoding.decode(chunk):
                        yield piece
        finally:
            self._silence.close()
        if self._decoding is not None:
            self._decoding.close()

    async def read(self) -> bytes:
        body = bytearray()
        async with aclosing(self.chunks()) as chunks:
            async for chunk in chunks:
                body += chunk
                if len(body) > MAX_BODY:
                    raise UpstreamGarbled(f"The provider {self._provider} answered with more than 64 MiB.")
        return bytes(body)

    async def _next(self) -> bytes:
        self._silence.begin()
        try:
            return await self._content.readany()
        except (aiohttp.ClientError, OSError):
            # What had arrived before the connection broke is still to be had, but only here: readany forgets it.
            if left := self._content._read_nowait(-1):
                return left
            raise UpstreamTruncated(f"The provider {self._provider} closed its answer before its end.") from None
        finally:
            self._silence.end()


def _base(dialect: str, base_url: str) -> str:
    """The URL that a path such as `/messages` is put behind. Anthropic's may be given with or without `/v1`."""
    base = base_url.rstrip("/")
    return base.removesuffix("/v1") + "/v1" if dialect == "anthropic" else base


def _credential(dialect: str, api_key: str) -> tuple[str, str]:
    return ("x-api-key", api_key) if dialect == "anthropic" else ("authorization", f"Bearer {api_key}")


def _at_the_border(provider: str, waits: Timeouts, error: Exception) -> UpstreamError:
    """What went wrong before the head, as an error of our own. Its text names no address and no exception."""
    match error:
        case aiohttp.ConnectionTimeoutError():
            problem = f"could not be reached within {waits.connect:g} s."
        case aiohttp.ClientConnectorCertificateError():
            problem = "has a certificate that is not trusted."
        case aiohttp.ClientConnectorDNSError():
            problem = "could not be found: its host name has no address."
        case aiohttp.ClientConnectorError():
            problem = "could not be reached."
        case aiohttp.InvalidURL():
            problem = "could not be reached: its base URL is not valid."
        case aiohttp.ClientResponseError():
            return UpstreamGarbled(f"The provider {provider} did not answer in HTTP.")
        case _:
            problem = "closed the connection before it answered."
    return UpstreamUnreachable(f"The provider {provider} {problem}")
