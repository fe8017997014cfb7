"""The endpoints of `/v1`: who asks, in which dialect; then the pipeline answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from time import perf_counter
from typing import Any

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import path as url
from ninja import NinjaAPI

from gateway import auth, directory, stopping
from gateway.calls import Clock, Head, Incoming, Reply, new_call_id
from gateway.dialects import ANTHROPIC, OPENAI_CHAT, OPENAI_EMBEDDINGS, OPENAI_RESPONSES, responses_dialect
from gateway.dialects.base import Dialect
from gateway.errors import GatewayError, NotFound
from gateway.live_call import LiveCall
from gateway.pipeline import run_call
from gateway.watch import ClientLeft
from observability import metrics

log = structlog.get_logger(__name__)


class Api(NinjaAPI):
    """Every view here makes its own response."""

    _unused = HttpResponse()

    def create_temporal_response(self, request: HttpRequest) -> HttpResponse:
        return self._unused


api = Api(title="Luthien", version="1", urls_namespace="gateway", docs_url=None, openapi_url=None)


class CallResponse(HttpResponseBase):
    """An answer of `/v1` that is still to be given: the slim handler awaits `answer` with where it goes.

    Its headers are in the Head: Django's own would be joined, recoded and completed, so none are made.
    """

    status_code = 0

    def __init__(self, answer: Callable[[Reply], Awaitable[None]]) -> None:
        self.answer = answer

    @classmethod
    def of(cls, head: Head) -> CallResponse:
        """A whole answer."""
        return cls(lambda reply: reply.begin(head))


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


@api.post("/embeddings")
async def embeddings(request: HttpRequest) -> HttpResponseBase:
    """OpenAI Embeddings, under the request policies."""
    return await _call(request, OPENAI_EMBEDDINGS, judges_only=True)


@api.post("/responses")
async def responses(request: HttpRequest) -> HttpResponseBase:
    """OpenAI Responses."""
    return await _call(request, responses_dialect(settings.LUTHIEN_HIDDEN_HISTORY == "allow"))


@api.get("/models")
async def models(request: HttpRequest) -> HttpResponseBase:
    """The models that the key may use; in Anthropic's shape where the client speaks that."""
    dialect, call_id, clock = dialect_of(request), new_call_id(), Clock(perf_counter())

    async def answer() -> HttpResponseBase:
        client = await auth.authenticate(_headers(request))
        stopping.require_key(client)
        listed = dialect.write_models((await directory.current()).models(client))
        return CallResponse.of(Head(200, [("content-type", "application/json")], listed).signed(call_id, clock))

    return await _guarded(request, call_id, answer)


async def elsewhere(request: HttpRequest, rest: str = "") -> HttpResponseBase:
    """All other paths are refused, not proxied: an open pass-through would be a side door without policies."""
    return error_response(request, NotFound(f"{request.path[:200]} is not served here."))


async def hello(request: HttpRequest) -> HttpResponseBase:
    """What Claude Code asks to see whether anybody is there."""
    return HttpResponse(status=200)


urlpatterns = [
    url("v1", elsewhere),
    url("v1/", elsewhere),
    url("v1/", api.urls),
    url("v1/<path:rest>", elsewhere),
    url("api/hello", hello),
]


def dialect_of(request: HttpRequest) -> Dialect:
    """What a client speaks, where the path alone does not tell."""
    speaks_anthropic = "anthropic-version" in request.headers or request.path.startswith("/v1/messages")
    if speaks_anthropic:
        return ANTHROPIC
    return OPENAI_RESPONSES if request.path.startswith("/v1/responses") else OPENAI_CHAT


def error_response(request: HttpRequest, error: GatewayError, call_id: str = "") -> CallResponse:
    """`error` for a client with whom no call has begun; it is counted, and not on record."""
    dialect, call_id = dialect_of(request), call_id or new_call_id()
    metrics.errors.labels(dialect.name, error.kind).inc()
    return CallResponse.of(Head.of_error(error, dialect, call_id).signed(call_id, Clock(perf_counter())))


async def _call(request: HttpRequest, dialect: Dialect, judges_only: bool = False) -> HttpResponseBase:
    call_id, began = new_call_id(), perf_counter()

    async def answer() -> HttpResponseBase:
        headers = _headers(request)
        client = await auth.authenticate(headers)
        auth.require_call(client)
        asked = perf_counter()
        # Only now: nobody whose key is not good for a call makes us hold a body.
        body = await request.whole_body()  # type: ignore[attr-defined]
        # How long a client takes to send it is not our overhead.
        started = began + perf_counter() - asked
        method = request.method or "POST"
        incoming = Incoming(dialect, client, method, _path(request), headers, body, judges_only, call_id, started)
        call = await LiveCall.of(incoming, await directory.current())
        return CallResponse(partial(run_call, call))

    return await _guarded(request, call_id, answer)


async def _guarded(
    request: HttpRequest, call_id: str, answer: Callable[[], Awaitable[HttpResponseBase]]
) -> HttpResponseBase:
    try:
        return await answer()
    except GatewayError as error:
        return error_response(request, error, call_id)
    except ClientLeft:
        raise
    except Exception:
        log.exception("a request failed within", call=call_id, path=request.path)
        return error_response(request, GatewayError("Luthien failed within; nothing was sent on."), call_id)


def _path(request: HttpRequest) -> str:
    """What follows `/v1`, with the query string as it came."""
    scope: Any = request.scope  # type: ignore[attr-defined]
    query = scope["query_string"].decode("latin-1")
    return request.path.removeprefix("/v1") + (f"?{query}" if query else "")


def _headers(request: HttpRequest) -> dict[str, str]:
    """The client's headers, names in lower case; what was sent in several lines is joined, as HTTP has it."""
    scope: Any = request.scope  # type: ignore[attr-defined]
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("utf-8", "surrogateescape")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers
