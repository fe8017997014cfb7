"""A call as it leaves for a provider: in the dialect that its client speaks, or translated."""

from __future__ import annotations

from gateway import prices
from gateway.dialects import DIALECTS, Dialect
from gateway.dialects.anthropic_messages.token_counts import estimate_tokens
from gateway.directory import Target
from gateway.errors import NotFound
from gateway.live_call import LiveCall
from gateway.translation import Translation
from gateway.upstreams.base import Answer, Headers, Outgoing
from gateway.upstreams.headers import forwarded, returned
from policies.content import Request
from policies.events import End, Event

_TRACE = frozenset({"traceparent", "tracestate"})


def outgoing(call: LiveCall, target: Target, request: Request) -> Outgoing:
    """`request` for `target`: a minimal edit of what the client sent, or a translation of it. Raises BadRequest."""
    incoming, original = call.incoming, call.request
    wire, credential = target.wire(incoming.dialect.name), incoming.client.credential
    if wire == incoming.dialect.name:
        call.translation = None
        call.executor.binds_thinking = incoming.dialect.binds_thinking
        body = incoming.dialect.write_request(incoming.body, original, request, target.model)
        return Outgoing(incoming.method, incoming.path, forwarded(incoming.headers), body, original.stream, credential)
    translation = _translation(call, target, request, DIALECTS[wire])
    call.translation = translation
    call.executor.binds_thinking = translation.binds_thinking
    if translation.dropped:
        call.record.note("translation", f"left out for {wire}: {', '.join(translation.dropped)}")
    headers = _headers(call, translation)
    return Outgoing("POST", translation.dialect.path, headers, translation.body, original.stream, credential)


def token_estimate(call: LiveCall, request: Request) -> bytes:
    """The body of a guess at the tokens of `request`. Raises NotFound where the client asked for something else."""
    dialect = call.incoming.dialect
    if not call.incoming.path.startswith("/messages/count_tokens"):
        problem = f"The model {request.model[:200]} is not served in the dialect {dialect.name}."
        raise NotFound(problem, param="model", code="model_not_found")
    return estimate_tokens(request)


def counted(call: LiveCall, body: bytes) -> list[Event]:
    """The usage of an answer that is no completion, where it has any."""
    told = call.incoming.dialect.read_recorded(body, streamed=False)
    return [End("end_turn", response.usage) for response in told]


def returned_headers(call: LiveCall, answer: Answer) -> Headers:
    """The headers of the provider's answer. Of a translated one only its type: the others speak of another API."""
    headers = returned(answer.headers)
    return headers if call.translation is None else [pair for pair in headers if pair[0] == "content-type"]


def _translation(call: LiveCall, target: Target, request: Request, dialect: Dialect) -> Translation:
    incoming, model = call.incoming, prices.model(target.model)
    return Translation(incoming.dialect, dialect, target.provider, model, call.request, request, incoming.id)


def _headers(call: LiveCall, translation: Translation) -> Headers:
    """The client's headers speak of another provider's API, so only those of its trace go along."""
    traced = [(name, value) for name, value in call.incoming.headers.items() if name in _TRACE]
    accept = "text/event-stream" if call.request.stream else "application/json"
    ours = [("content-type", "application/json"), ("accept", accept), ("accept-encoding", "identity")]
    return [*ours, ("user-agent", "luthien"), *translation.dialect.headers, *traced]
