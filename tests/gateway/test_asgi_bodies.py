"""Who gets a body read, and how long we wait for one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from gateway import directory, watch
from gateway.asgi import SlimHandler
from gateway.directory import Client
from tests.gateway.test_asgi import Played, no_pages


class Refusal(Exception):
    """More of a request was read than its headers deserve."""


@pytest.mark.parametrize(
    ("path", "status"), [("/v1/messages", 401), ("/v1/chat/completions", 401), ("/v1/nowhere", 404), ("/health", 200)]
)
async def test_nothing_of_a_body_is_read_for_whom_we_do_not_know(
    path: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def find(secret: str) -> None:
        return None

    async def receive() -> Any:
        raise Refusal

    monkeypatch.setattr(directory, "find_client", find)
    played = Played(path=path)
    played.scope["headers"] = [(b"x-api-key", b"lth_unknown"), (b"content-length", b"33554432")]
    await SlimHandler(no_pages)(played.scope, receive, played.send)
    assert played.status == status


@asynccontextmanager
async def served(handler: SlimHandler) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to `handler` behind the server that users run, in this loop."""
    config = uvicorn.Config(handler, lifespan="off", log_config=None)
    config.load()
    protocol: Any = config.http_protocol_class
    make = partial(protocol, config=config, server_state=ServerState(), app_state={})
    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    try:
        yield reader, writer
    finally:
        writer.close()
        server.close()


@pytest.mark.parametrize(
    ("path", "word"), [("messages", b'"timeout_error"'), ("chat/completions", b'"code":"timeout"')]
)
async def test_a_body_that_stops_coming_is_a_408_in_the_dialect(
    path: str, word: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def find(secret: str) -> Client:
        return Client("ci", "", can_call=True, can_read=False, id=1)

    monkeypatch.setattr(directory, "find_client", find)
    monkeypatch.setattr(watch, "_TICK", 0)
    monkeypatch.setattr(watch, "SLOWEST_SENDER", 0.05)
    handler = SlimHandler(no_pages)
    async with served(handler) as (reader, writer):
        writer.write(f"POST /v1/{path} HTTP/1.1\r\nhost: x\r\nx-api-key: k\r\ncontent-length: 99\r\n\r\n{{".encode())
        answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert word in answer
    assert b"connection: close" in answer
    assert (handler._bodies.in_flight, len(handler._watch)) == (0, 0)
