"""Asking a service for a policy: a signed POST, to public addresses and to those that the operator lists."""

from __future__ import annotations

import asyncio
import hmac
import time
from contextlib import aclosing
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
    parts = urlsplit(asked.url)
    host = parts.hostname or ""
    path = quote(parts.path or "/", _SAFE) + (f"?{quote(parts.query, _SAFE)}" if parts.query else "")
    outgoing = Outgoing("POST", path, _headers(call, asked), asked.body, stream=False)
    deadline = min(asked.deadline, LONGEST)
    try:
        async with asyncio.timeout(deadline), _service(parts, host).send(outgoing) as answer:
            if answer.status != 200:
                raise FetchFailed(f"{host} answered with status {answer.status}")
            return await _read(answer, asked.most, host)
    except TimeoutError:
        raise FetchFailed(f"{host} did not answer within {deadline:g} s") from None
    except GatewayError as error:
        raise FetchFailed(f"{host} could not be asked: {error}") from None


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
