"""Clients that ask for a WebSocket where calls are answered over HTTP: they are told so, and come back with a POST."""

from __future__ import annotations

from typing import Any

from gateway.calls import new_call_id
from gateway.dialects import OPENAI_RESPONSES
from gateway.errors import NoWebSocket

_HEADERS = [(b"content-type", b"application/json"), (b"upgrade", b"HTTP/1.1"), (b"connection", b"upgrade")]


class NoCallsOverWebSockets:
    """An ASGI application that refuses upgrades below `/v1/` and leaves all others to `pages`."""

    def __init__(self, pages: Any) -> None:
        self._pages = pages

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if not scope["path"].startswith("/v1/"):
            await self._pages(scope, receive, send)
            return
        await receive()
        if "websocket.http.response" not in scope.get("extensions", {}):
            await send({"type": "websocket.close"})  # which the server answers with a 403
            return
        error = NoWebSocket("Luthien answers over HTTP: send a POST to this path.")
        body = OPENAI_RESPONSES.write_error(error, new_call_id())
        await send({"type": "websocket.http.response.start", "status": error.status, "headers": _HEADERS})
        await send({"type": "websocket.http.response.body", "body": body})
