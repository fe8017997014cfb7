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
