"""The least that a server between client and provider can be: bytes in, bytes out, nothing read, judged or recorded.

It stands in the same place as a gateway, served by uvicorn and talking to the provider by the gateway's own transport.
What it adds is what the place itself takes on this machine; the rest of a gateway's figure is the gateway.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from gateway.upstreams.pool import Address, Pool
from luthien_site.bench.processes import Child

_PROVIDER = "BENCH_PROVIDER"
_SERVER = "-m uvicorn --loop uvloop --http httptools --lifespan off --no-access-log --log-level warning".split()  # noqa: SIM905


class Relay:
    """An ASGI application that hands every POST on to `provider`, a URL; a GET is answered 200."""

    def __init__(self, provider: str) -> None:
        self._pool = Pool(Address.of(provider))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] == "GET":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        connection = self._pool.take() or await self._pool.dial()
        connection.send(self._head(scope["path"], len(body)), body)
        await connection.head()
        headers = [(name.encode(), value.encode()) for name, value in connection.headers if name != "transfer-encoding"]
        await send({"type": "http.response.start", "status": connection.status, "headers": headers})
        while data := await connection.read():
            await send({"type": "http.response.body", "body": data, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
        self._pool.give_back(connection)

    def _head(self, path: str, size: int) -> bytes:
        lines = (f"POST {path} HTTP/1.1", f"host: {self._pool.address.authority}", f"content-length: {size}")
        return "\r\n".join((*lines, "content-type: application/json")).encode() + b"\r\n\r\n"


class RelayServer(Child):
    """The relay in a process of its own, before the provider that listens on `provider_port`."""

    def __init__(self, log: Path, provider_port: int, core: int | None) -> None:
        super().__init__("The relay", log, core)
        self._provider = f"http://127.0.0.1:{provider_port}"

    async def start(self) -> None:
        """Returns when it serves. Raises DidNotStart."""
        server = [*_SERVER, "--port", str(self.port), "luthien_site.bench.relay:application"]
        self.spawn([sys.executable, *server], {**os.environ, _PROVIDER: self._provider}, Path(__file__).parents[2])
        await self.ready("/")


async def application(scope: Any, receive: Any, send: Any) -> None:
    """What uvicorn is given."""
    global _relay
    if _relay is None:
        _relay = Relay(os.environ[_PROVIDER])
    await _relay(scope, receive, send)


_relay: Relay | None = None
