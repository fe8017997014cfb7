"""Asking a service for a policy: a signed POST, to public addresses and to those that the operator lists."""

from __future__ import annotations

import asyncio
import hmac
import time
from contextlib import AbstractAsyncContextManager, aclosing
from urllib.parse import SplitResult, quote, urlsplit
from weakref import WeakKeyDictionary

from django.conf import settings

from gateway.errors import GatewayError
from gateway.upstreams.base import Answer, Headers, Outgoing
from gateway.upstreams.native import NativeUpstream, Timeouts
from observability.addresses import guard
from policies.base import Call
from policies.fetching import Fetch, FetchFailed

LONGEST = 240.0
"""Seconds that a service may take, whatever a policy says."""
_MOST_SERVICES = 100
_SAFE = "/?%:@!$&'()*+,;=~"

# A connection belongs to the loop that made it.
_services: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, NativeUpstream]] = WeakKeyDictionary()


async def fetch(call: Call, asked: Fetch) -> bytes:
    """For `Call.fetch`. Raises FetchFailed, which names no more than the host."""
    host, deadline = host_of(asked.url), min(asked.deadline, LONGEST)
    try:
        async with asyncio.timeout(deadline), post(asked.url, _headers(call, asked), asked.body) as answer:
            if answer.status != 200:
                raise FetchFailed(f"{host} answered with status {answer.status}")
            return await _read(answer, asked.most, host)
    except TimeoutError:
        raise FetchFailed(f"{host} did not answer within {deadline:g} s") from None
    except GatewayError as error:
        raise FetchFailed(f"{host} could not be asked: {error}") from None


def post(url: str, headers: Headers, body: bytes) -> AbstractAsyncContextManager[Answer]:
    """A POST to a public or a listed address, and its answer; a redirect is not followed. Raises GatewayError."""
    parts = urlsplit(url)
    path = quote(parts.path or "/", _SAFE) + (f"?{quote(parts.query, _SAFE)}" if parts.query else "")
    return _service(parts, host_of(url)).send(Outgoing("POST", path, headers, body, stream=False))


def host_of(url: str) -> str:
    return urlsplit(url).hostname or ""


async def stop() -> None:
    """Close what this loop opened."""
    for service in _services.pop(asyncio.get_running_loop(), {}).values():
        await service.close()


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """`v1=` and the HMAC-SHA256 over the timestamp, a dot and the body, in hex."""
    return "v1=" + hmac.digest(secret.encode(), timestamp.encode() + b"." + body, "sha256").hex()


def _headers(call: Call, asked: Fetch) -> Headers:
    headers = [
        ("content-type", "application/json"),
        ("accept", "application/json"),
        ("accept-encoding", "identity"),
        ("user-agent", "luthien"),
        ("x-luthien-call-id", call.id),
    ]
    if not asked.secret:
        return headers
    secret = settings.LUTHIEN_REMOTE_SECRETS.get(asked.secret)
    if not secret:
        raise FetchFailed(f"LUTHIEN_REMOTE_SECRETS has no secret named {asked.secret[:100]}")
    now = str(int(time.time()))
    return [*headers, ("x-luthien-timestamp", now), ("x-luthien-signature", signature(secret, now, asked.body))]


def _service(parts: SplitResult, host: str) -> NativeUpstream:
    services = _services.setdefault(asyncio.get_running_loop(), {})
    base = f"{parts.scheme}://{parts.netloc}"
    if base not in services:
        while len(services) >= _MOST_SERVICES:
            services.pop(next(iter(services)))
        allows = guard(host, settings.LUTHIEN_PRIVATE_HOSTS)
        services[base] = NativeUpstream(host, "openai", base, timeouts=Timeouts(10, LONGEST, LONGEST), allows=allows)
    return services[base]


async def _read(answer: Answer, most: int, host: str) -> bytes:
    body = b""
    async with aclosing(answer.chunks()) as chunks:
        async for chunk in chunks:
            body += chunk
            if len(body) > most:
                raise FetchFailed(f"{host} answered with more than {most} bytes")
    return body
