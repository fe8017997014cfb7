from typing import Any

import pytest
from channels.testing import WebsocketCommunicator

from luthien_site.asgi import application


@pytest.mark.django_db(transaction=True)
async def test_the_lifespan_is_confirmed() -> None:
    incoming = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return next(incoming)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await application({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, receive, send)
    assert [message["type"] for message in sent] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


@pytest.mark.django_db(transaction=True)
async def test_a_websocket_of_another_origin_is_refused() -> None:
    headers = [(b"origin", b"http://evil.example"), (b"host", b"127.0.0.1")]
    socket = WebsocketCommunicator(application, "/ws/activity/", headers=headers)
    connected, _ = await socket.connect()
    assert not connected


@pytest.mark.parametrize(
    ("extensions", "types"),
    [
        ({"websocket.http.response": {}}, ["websocket.http.response.start", "websocket.http.response.body"]),
        ({}, ["websocket.close"]),
    ],
)
async def test_no_call_is_taken_over_a_websocket(extensions: Any, types: list[str]) -> None:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "websocket", "path": "/v1/responses", "headers": [], "extensions": extensions}
    await application(scope, receive, send)
    assert [message["type"] for message in sent] == types
    assert sent[0].get("status", 426) == 426
