"""The slim ASGI handler of `/v1`: the same URLs and views as Django's, without what only pages need.

It reads the body into memory, resolves the URL, awaits the view and sends what it returns. No signals, no sessions, no
hop into a thread. It listens for a client that leaves, and cancels the call at once.
"""

from __future__ import annotations

import asyncio
from io import BytesIO
from typing import Any

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpResponseBase
from django.urls import Resolver404, get_resolver

from gateway import api
from gateway.bodies import Bodies, ClientLeft, content_encoding
from gateway.errors import GatewayError, NotFound
from gateway.watch import Send, Watch, WatchedAnswer

SLIM_PATHS = ("/v1/", "/health", "/ready", "/metrics", "/api/hello")


class SlimHandler:
    """An ASGI application for HTTP that serves SLIM_PATHS itself and leaves all else to `pages`."""

    def __init__(self, pages: Any) -> None:
        self._pages = pages
        self._bodies = Bodies()
        self._watch = Watch()

    async def __call__(self, scope: Any, receive: Any, send: Send) -> None:
        path = scope["path"]
        if scope["method"] == "HEAD" and path == "/":
            await _send_whole(send, 200, [(b"content-length", b"0")], b"")
        elif path.startswith(SLIM_PATHS):
            await self._serve(scope, receive, send)
        else:
            await self._pages(scope, receive, send)

    async def _serve(self, scope: Any, receive: Any, send: Send) -> None:
        encoding = content_encoding(dict(scope["headers"]))
        try:
            body = await self._bodies.read(receive, encoding)
        except ClientLeft:
            return
        except GatewayError as error:
            await _send_response(send, api.error_response(scope["path"], error))
            return
        try:
            await self._answer(scope, body, receive, send)
        finally:
            self._bodies.release(len(body))

    async def _answer(self, scope: Any, body: bytes, receive: Any, send: Send) -> None:
        serving = asyncio.current_task()
        assert serving is not None
        leaving = asyncio.create_task(_cancel_when_left(receive, serving))
        try:
            response = await _view(scope, body)
            if isinstance(response, api.CallResponse):
                await self._stream(response, send, serving)
            else:
                await _send_response(send, response)
        except asyncio.CancelledError:
            if not leaving.done():
                raise
            serving.uncancel()
        finally:
            leaving.cancel()

    async def _stream(self, response: api.CallResponse, send: Send, serving: asyncio.Task[Any]) -> None:
        answer = WatchedAnswer(send, response.keepalive, serving)
        try:
            await send({"type": "http.response.start", "status": response.status_code, "headers": _headers(response)})
            self._watch.add(answer)
            async for chunk in response.stream:
                await answer.send(chunk)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except asyncio.CancelledError:
            if not answer.cut_off:
                raise
            serving.uncancel()
        finally:
            self._watch.discard(answer)
            await response.stream.aclose()


async def _view(scope: Any, body: bytes) -> HttpResponseBase:
    request = ASGIRequest(scope, BytesIO())
    request._body = body
    try:
        match = get_resolver().resolve(scope["path"])
    except Resolver404:
        return api.error_response(scope["path"], NotFound(f"{scope['path']} is not served here."))
    request.resolver_match = match
    response: HttpResponseBase = await match.func(request, *match.args, **match.kwargs)
    return response


async def _cancel_when_left(receive: Any, serving: asyncio.Task[Any]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    serving.cancel()


async def _send_response(send: Send, response: HttpResponseBase) -> None:
    body = getattr(response, "content", b"")
    headers = [*_headers(response), (b"content-length", str(len(body)).encode())]
    await _send_whole(send, response.status_code, headers, body)


async def _send_whole(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _headers(response: HttpResponseBase) -> list[tuple[bytes, bytes]]:
    return [
        (name.lower().encode("latin-1"), value.encode("latin-1"))
        for name, value in response.items()
        if name.lower() != "content-length"
    ]
