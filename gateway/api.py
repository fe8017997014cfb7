"""The endpoints of `/v1`: who asks, in which dialect; then the pipeline answers."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import structlog
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.urls import path as url
from ninja import NinjaAPI

from gateway import auth, directory
from gateway.calls import Head, Incoming, new_call_id
from gateway.dialects import ANTHROPIC, OPENAI_CHAT
from gateway.dialects.base import Dialect
from gateway.errors import GatewayError, NotFound
from gateway.pipeline import run_call
from observability import metrics

log = structlog.get_logger(__name__)
api = NinjaAPI(title="Luthien", version="1", urls_namespace="gateway", docs_url=None, openapi_url=None)


class CallResponse(StreamingHttpResponse):
    """A streamed answer. The slim handler reads `stream` itself; `keepalive` is sent while a policy holds it."""

    def __init__(self, head: Head, stream: AsyncGenerator[bytes, None]) -> None:
        super().__init__(stream, status=head.status)
        self.stream = stream
        self.keepalive = head.keepalive
        _set_headers(self, head)


@api.post("/messages")
async def messages(request: HttpRequest) -> HttpResponseBase:
    """Anthropic Messages."""
    return await _call(request, ANTHROPIC)


@api.post("/messages/count_tokens")
async def count_tokens(request: HttpRequest) -> HttpResponseBase:
    """Anthropic's token count, by the same provider and under the same request policies."""
    return await _call(request, ANTHROPIC, judges_only=True)


@api.post("/chat/completions")
async def chat_completions(request: HttpRequest) -> HttpResponseBase:
    """OpenAI Chat Completions."""
    return await _call(request, OPENAI_CHAT)


@api.get("/models")
async def models(request: HttpRequest) -> HttpResponseBase:
    """The models that the key may use; in Anthropic's shape where the client speaks that."""
    dialect = _dialect(request)

    async def answer() -> HttpResponseBase:
        client = await auth.authenticate(_headers(request))
        return _json(200, dialect.write_models((await directory.current()).models(client)))

    return await _guarded(request, dialect, answer)


async def elsewhere(request: HttpRequest, rest: str = "") -> HttpResponseBase:
    """All other paths are refused, not proxied: an open pass-through would be a side door without policies."""
    return error_response(request.path, NotFound(f"{request.path} is not served here."), _dialect(request))


async def hello(request: HttpRequest) -> HttpResponseBase:
    """What Claude Code asks to see whether anybody is there."""
    return HttpResponse(status=200)


urlpatterns = [
    url("v1/", api.urls),
    url("v1/<path:rest>", elsewhere),
    url("api/hello", hello),
]


def error_response(path: str, error: GatewayError, dialect: Dialect | None = None, call_id: str = "") -> HttpResponse:
    """`error` in the dialect of `path`, with the headers that tell a client whether to try again."""
    dialect = dialect or (ANTHROPIC if path.startswith("/v1/messages") else OPENAI_CHAT)
    call_id = call_id or new_call_id()
    response = _json(error.status, dialect.write_error(error, call_id))
    response["x-luthien-call-id"] = call_id
    if error.should_retry is not None:
        response["x-should-retry"] = "true" if error.should_retry else "false"
    if error.retry_after is not None:
        response["retry-after"] = str(max(1, round(error.retry_after)))
    return response


async def _call(request: HttpRequest, dialect: Dialect, judges_only: bool = False) -> HttpResponseBase:
    call_id = new_call_id()

    async def answer() -> HttpResponseBase:
        headers = _headers(request)
        client = await auth.authenticate(headers)
        auth.require_call(client)
        path = request.get_full_path().removeprefix("/v1")
        incoming = Incoming(dialect, client, request.method or "POST", path, headers, request.body, judges_only, call_id)
        return await _first_of(run_call(incoming, await directory.current()), dialect, call_id)

    return await _guarded(request, dialect, answer, call_id)


async def _first_of(stream: AsyncGenerator[Head | bytes, None], dialect: Dialect, call_id: str) -> HttpResponseBase:
    """The response that the head announces; a whole one ends the call here."""
    head = await anext(stream)
    assert isinstance(head, Head)
    if head.body is None:
        return CallResponse(head, _rest(stream, dialect, call_id))
    await stream.aclose()
    response = HttpResponse(head.body, status=head.status)
    _set_headers(response, head)
    return response


async def _rest(
    stream: AsyncGenerator[Head | bytes, None], dialect: Dialect, call_id: str
) -> AsyncGenerator[bytes, None]:
    """The body behind a head that has left; what fails now is told in the stream, and no end follows it."""
    try:
        async for piece in stream:
            assert isinstance(piece, bytes)
            yield piece
    except GatewayError as error:
        yield dialect.write_failure(error, call_id)
    except Exception:
        log.exception("a call failed within", call=call_id)
        yield dialect.write_failure(GatewayError("Luthien failed; the call is on record."), call_id)
    finally:
        await stream.aclose()


async def _guarded(
    request: HttpRequest, dialect: Dialect, answer: Callable[[], Awaitable[HttpResponseBase]], call_id: str = ""
) -> HttpResponseBase:
    try:
        return await answer()
    except GatewayError as error:
        metrics.errors.labels(dialect.name, error.kind).inc()
        return error_response(request.path, error, dialect, call_id)
    except Exception:
        log.exception("a request failed within", call=call_id, path=request.path)
        metrics.errors.labels(dialect.name, "internal").inc()
        return error_response(request.path, GatewayError("Luthien failed; nothing was sent on."), dialect, call_id)


def _dialect(request: HttpRequest) -> Dialect:
    speaks_anthropic = "anthropic-version" in request.headers or request.path.startswith("/v1/messages")
    return ANTHROPIC if speaks_anthropic else OPENAI_CHAT


def _headers(request: HttpRequest) -> dict[str, str]:
    """The client's headers, names in lower case; what was sent in several lines is joined, as HTTP has it."""
    scope: Any = request.scope  # type: ignore[attr-defined]
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _set_headers(response: HttpResponseBase, head: Head) -> None:
    del response["content-type"]
    for name, value in head.headers:
        response[name] = f"{response[name]}, {value}" if name in response else value


def _json(status: int, body: bytes) -> HttpResponse:
    return HttpResponse(body, status=status, content_type="application/json")


