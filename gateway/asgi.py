"""The slim ASGI handler of `/v1`: the same URLs and views as Django's, without what only pages need.

It resolves the URL, awaits the view and sends what it returns. No signals, no sessions, no hop into a thread. A body is
read into memory when the view asks for it; from then on a client that leaves cancels the call at once.
"""

from __future__ import annotations

import asyncio
from functools import cached_property, lru_cache
from typing import Any

from django.http import Http404, HttpRequest, HttpResponseBase
from django.urls import ResolverMatch, get_resolver

from gateway.api import CallResponse, error_response
from gateway.bodies import Bodies, Receive, content_encoding
from gateway.calls import Head
from gateway.errors import NotFound, WrongMethod
from gateway.watch import ClientLeft, Send, Watch, WatchedAnswer

SLIM_PATHS = ("/v1/", "/health", "/ready", "/metrics", "/api/hello")
_WRITTEN_BY_THE_SERVER = frozenset({"date", "server", "content-length"})

_LISTENS_AFTER = 0.01
"""Seconds of a call before anybody listens for its client's leaving: a timer costs less than a task for each call."""

RawHeaders = list[tuple[bytes, bytes]]


class SlimRequest(HttpRequest):
    """A request of `/v1` as its views read it; Django's own takes apart cookies, forms and queries that none has."""

    def __init__(self, scope: Any, receive: Receive, bodies: Bodies, serving: asyncio.Task[Any]) -> None:
        self.scope = scope
        self.path = self.path_info = scope["path"]
        self.method = scope["method"]
        self.resolver_match = None
        self._body = b""
        self._receive = receive
        self._bodies = bodies
        self._serving = serving
        self._listening: asyncio.TimerHandle | None = None
        self._leaving: asyncio.Task[None] | None = None

    async def whole_body(self) -> bytes:
        """The body, read now. From here on the view is cancelled when its client leaves.

        Raises ClientLeft, and the errors of a body that cannot be had.
        """
        self._body = await self._bodies.read(self._receive, content_encoding(dict(self.scope["headers"])))
        self._listening = asyncio.get_running_loop().call_later(_LISTENS_AFTER, self._listen)
        return self._body

    def _listen(self) -> None:
        self._leaving = asyncio.create_task(_cancel_when_left(self._receive, self._serving))

    @property
    def was_left(self) -> bool:
        """Whether the client has gone, once its body was read."""
        return self._leaving is not None and self._leaving.done()

    def close(self) -> None:
        """Give back what the request took."""
        self._bodies.release(len(self._body))
        if self._listening is not None:
            self._listening.cancel()
        if self._leaving is not None:
            self._leaving.cancel()

    @cached_property
    def META(self) -> dict[str, str]:  # type: ignore[override]  # noqa: N802 (Django's name)
        return {
            "HTTP_" + name.decode("latin-1").upper().replace("-", "_"): value.decode("latin-1")
            for name, value in self.scope["headers"]
        }


class SlimHandler:
    """An ASGI application for HTTP that serves SLIM_PATHS itself and leaves all else to `pages`."""

    def __init__(self, pages: Any) -> None:
        self._pages = pages
        self._watch = Watch()
        self._bodies = Bodies(self._watch)

    async def __call__(self, scope: Any, receive: Any, send: Send) -> None:
        path = scope["path"]
        if scope["method"] == "HEAD" and path == "/":
            await _send_whole(send, 200, [], b"")
        elif path.startswith(SLIM_PATHS) or path == "/v1":
            await self._serve(scope, receive, send)
        else:
            await self._pages(scope, receive, send)

    async def _serve(self, scope: Any, receive: Any, send: Send) -> None:
        serving = asyncio.current_task()
        assert serving is not None
        request = SlimRequest(scope, receive, self._bodies, serving)
        try:
            response = await _view(request)
            if isinstance(response, CallResponse):
                await self._reply(response, send, serving)
            else:
                await _send_whole(send, response.status_code, _raw(response.items()), getattr(response, "content", b""))
        except ClientLeft:
            return
        except asyncio.CancelledError:
            if not request.was_left:
                raise
            serving.uncancel()
        finally:
            request.close()

    async def _reply(self, response: CallResponse, send: Send, serving: asyncio.Task[Any]) -> None:
        reply = ClientReply(send, serving, self._watch)
        try:
            await response.answer(reply)
            await reply.finish()
        except asyncio.CancelledError:
            if not reply.cut_off:
                raise
            serving.uncancel()
        finally:
            self._watch.discard(reply)


class ClientReply(WatchedAnswer):
    """An answer of `/v1` on its way; it is watched from its head on, unless that is all there is."""

    __slots__ = ("_is_whole", "_watch")

    def __init__(self, send: Send, task: asyncio.Task[Any], watch: Watch) -> None:
        super().__init__(send, b"", task)
        self._watch = watch
        self._is_whole = False

    async def begin(self, head: Head) -> None:
        """Send the head; where it holds a body, that is the whole answer."""
        if head.body is not None:
            self._is_whole = True
            await _send_whole(self._send, head.status, _raw(head.headers), head.body)
            return
        await self._send({"type": "http.response.start", "status": head.status, "headers": _raw(head.headers)})
        self._keepalive = head.keepalive
        self._watch.add(self)

    async def finish(self) -> None:
        if not self._is_whole:
            await super().finish()


async def _view(request: HttpRequest) -> HttpResponseBase:
    try:
        match = _resolve(request.path_info)
    except Http404:
        return error_response(request, NotFound(f"{request.path[:200]} is not served here."))
    request.resolver_match = match
    response: HttpResponseBase = await match.func(request, *match.args, **match.kwargs)
    if response.status_code == 405 and not isinstance(response, CallResponse):
        return error_response(request, WrongMethod(f"{request.path} does not answer {request.method}."))
    return response


@lru_cache(maxsize=256)
def _resolve(path: str) -> ResolverMatch:
    """Django's own answer, which is the same for the same path. Raises Http404, which is not kept."""
    return get_resolver().resolve(path)


async def _cancel_when_left(receive: Any, serving: asyncio.Task[Any]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    serving.cancel()


async def _send_whole(send: Send, status: int, headers: RawHeaders, body: bytes) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})


def _raw(headers: Any) -> RawHeaders:
    """Headers as they go out, but those that are not ours to write."""
    return [
        (lowered.encode(), value.encode("utf-8", "surrogateescape"))
        for name, value in headers
        if (lowered := name.lower()) not in _WRITTEN_BY_THE_SERVER
    ]
