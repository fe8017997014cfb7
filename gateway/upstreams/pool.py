"""The connections to one provider: made when they are needed, kept for the next call."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from aiohappyeyeballs import start_connection

from gateway.upstreams.http1 import Connection

KEEP_ALIVE = 30.0
"""Seconds that an idle connection is kept; providers' own limits are longer."""
_NEXT_ADDRESS_AFTER = 0.25
"""Seconds after which a host's next address is tried beside the one that does not answer."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a provider is. `path` is what stands before every request's own path, `authority` is its `host` header."""

    host: str
    port: int
    secure: bool
    path: str
    authority: str

    @classmethod
    def of(cls, url: str) -> Address:
        """Raises ValueError where `url` is not one of http or https with a host."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("not a URL of http or https")
        secure, host = parts.scheme == "https", parts.hostname
        name = f"[{host}]" if ":" in host else host.encode("idna").decode()
        authority = name if parts.port is None else f"{name}:{parts.port}"
        path = quote(parts.path, "/%:@!$&'()*+,;=~")
        return cls(host, parts.port or (443 if secure else 80), secure, path, authority)


class AddressRefused(OSError):
    """None of a host's addresses may be connected to."""


class Pool:
    """Hands out each connection to one call at a time. `allows` tells of an IP address whether it may be dialled."""

    def __init__(self, address: Address, allows: Callable[[str], bool] | None = None) -> None:
        self.address = address
        self._allows = allows
        self._ssl = ssl.create_default_context() if address.secure else None
        self._idle: deque[Connection] = deque()
        self._sweeping: asyncio.TimerHandle | None = None

    def take(self) -> Connection | None:
        """The connection that was used last, if any is idle."""
        return self._idle.pop() if self._idle else None

    async def dial(self) -> Connection:
        """A new connection. Raises OSError."""
        loop, address = asyncio.get_running_loop(), self.address
        found = await loop.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
        if self._allows is not None:
            # Those that are checked are those that are dialled: a name may resolve to others the next time.
            found = [each for each in found if self._allows(str(each[4][0]))]
            if not found:
                raise AddressRefused
        connected = await start_connection(found, happy_eyeballs_delay=_NEXT_ADDRESS_AFTER, interleave=1, loop=loop)
        server = address.host if self._ssl else None
        _, connection = await loop.create_connection(
            lambda: Connection(self._lost), sock=connected, ssl=self._ssl, server_hostname=server
        )
        return connection

    def give_back(self, connection: Connection) -> None:
        """Keep it for the next call, or close it where its answer was not read to the end."""
        if not connection.reusable:
            connection.close()
            return
        loop = asyncio.get_running_loop()
        connection.idle_since = loop.time()
        self._idle.append(connection)
        if self._sweeping is None:
            self._sweeping = loop.call_later(KEEP_ALIVE, self._sweep)

    def close(self) -> None:
        """Close the idle connections."""
        if self._sweeping is not None:
            self._sweeping.cancel()
            self._sweeping = None
        while self._idle:
            self._idle.pop().close()

    def _lost(self, connection: Connection) -> None:
        if connection in self._idle:
            self._idle.remove(connection)

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        while self._idle and loop.time() - self._idle[0].idle_since >= KEEP_ALIVE:
            self._idle.popleft().close()
        self._sweeping = None
        if self._idle:
            self._sweeping = loop.call_at(self._idle[0].idle_since + KEEP_ALIVE, self._sweep)
