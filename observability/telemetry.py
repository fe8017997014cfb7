"""OpenTelemetry: a span a call and one a page, where OTEL_EXPORTER_OTLP_ENDPOINT is set; nothing at all where not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Tracer

    from .rows.entries import Closing

log = structlog.get_logger(__name__)

_tracer: Tracer | None = None
_SYSTEMS = {"anthropic": "anthropic", "openai_chat": "openai", "openai_responses": "openai"}
_FAILED = frozenset({"upstream_error", "cut", "stalled", "interrupted"})


def set_up(endpoint: str) -> None:
    """Send spans to an OTLP endpoint over HTTP, and trace the console's pages; does nothing without an endpoint."""
    if not endpoint:
        return
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.instrumentation.django import DjangoInstrumentor
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: "luthien"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    DjangoInstrumentor().instrument(excluded_urls="v1/,health,ready,metrics")
    use(provider)


def use(provider: TracerProvider | None) -> None:
    """Make calls' spans with `provider`; None makes none."""
    global _tracer
    _tracer = None if provider is None else provider.get_tracer("luthien")


def call_ended(closing: Closing) -> str:
    """One span for a call that is over, from its start to its end. Its trace, 32 hexadecimal digits; empty for none."""
    if _tracer is None:
        return ""
    try:
        return _trace(_tracer, closing)
    except Exception:
        # A trace is no reason for a call to be without its record.
        log.exception("a call could not be traced", call=closing.opening.facts.id)
        return ""


def _trace(tracer: Tracer, closing: Closing) -> str:
    from opentelemetry.trace import SpanKind, Status, StatusCode, format_trace_id

    opening = closing.opening
    span = tracer.start_span(
        f"chat {opening.facts.model[:100]}",
        kind=SpanKind.SERVER,
        start_time=_nanoseconds(opening.started_at),
        attributes=attributes(closing),
    )
    if closing.outcome in _FAILED:
        span.set_status(Status(StatusCode.ERROR, closing.fields["error_kind"]))
    for note in closing.fields["notes"]:
        if note["value"] is not None:
            moment = _nanoseconds(opening.started_at) + int(note["at"] * 1e6)
            span.add_event(note["kind"], {"value": note["value"]}, timestamp=moment)
    is_kept = span.is_recording()
    span.end(end_time=_nanoseconds(closing.closed_at))
    return format_trace_id(span.get_span_context().trace_id) if is_kept else ""


def attributes(closing: Closing) -> Mapping[str, Any]:
    """What a span says of a call; `gen_ai.*` as in OpenTelemetry's conventions. Content is never among it."""
    facts, fields, usage, timings = closing.opening.facts, closing.fields, closing.usage, closing.timings
    values = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": _SYSTEMS.get(facts.dialect, facts.dialect),
        "gen_ai.request.model": facts.model[:300],
        "gen_ai.response.model": fields["upstream_model"],
        "gen_ai.conversation.id": facts.session[:300],
        "gen_ai.usage.input_tokens": usage and usage.input_tokens,
        "gen_ai.usage.output_tokens": usage and usage.output_tokens,
        "http.response.status_code": fields["status"],
        "error.type": fields["error_kind"] or None,
        "luthien.call_id": facts.id,
        "luthien.team": facts.team[:300],
        "luthien.key": facts.key[:300],
        "luthien.provider": fields["provider"],
        "luthien.outcome": closing.outcome,
        "luthien.policies": fields["policies"],
        "luthien.hold_ms": timings.hold,
        "luthien.overhead_ms": timings.overhead,
        "luthien.first_event_ms": timings.first_event,
    }
    return {name: value for name, value in values.items() if value is not None}


def _nanoseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000) * 1000
