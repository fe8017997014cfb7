from __future__ import annotations

from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from observability import telemetry
from observability.models import CallRecord
from policies.content import Usage
from tests.observability.conftest import Record


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    telemetry.use(provider)
    yield exporter
    telemetry.use(None)


async def test_a_call_is_a_span_from_its_start_to_its_end(record: Record, spans: InMemorySpanExporter) -> None:
    call = record(id="call_x", request_body=b"a secret of the client")
    call.open()
    call.note("score", "", 0.5)
    call.usage(Usage(10, 20))
    await call.close("stalled", 504, "timeout")
    (span,) = spans.get_finished_spans()
    row = await CallRecord.objects.aget(pk="call_x")
    assert row.closed_at is not None
    assert (span.start_time, span.end_time) == tuple(
        round(at.timestamp() * 1e6) * 1000 for at in (row.started_at, row.closed_at)
    )
    assert span.attributes is not None
    assert span.attributes["gen_ai.usage.output_tokens"] == 20
    assert span.attributes["luthien.call_id"] == "call_x"
    assert [event.name for event in span.events] == ["score"]
    assert span.context is not None
    assert row.trace_id == f"{span.context.trace_id:032x}"
    assert not span.status.is_ok
    assert "secret" not in span.to_json()


async def test_a_call_whose_span_is_not_kept_names_no_trace(record: Record, spans: InMemorySpanExporter) -> None:
    telemetry.use(TracerProvider(sampler=ALWAYS_OFF))
    call = record(id="call_unsampled")
    call.open()
    await call.close("finished", 200)
    assert (await CallRecord.objects.aget(pk="call_unsampled")).trace_id == ""


async def test_a_call_that_cannot_be_traced_is_on_record_all_the_same(
    record: Record, spans: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telemetry, "attributes", lambda closing: 1 / 0)
    call = record(id="call_untraced")
    call.open()
    await call.close("finished", 200)
    row = await CallRecord.objects.aget(pk="call_untraced")
    assert (row.outcome, row.trace_id) == ("finished", "")


def test_without_an_endpoint_nothing_is_set_up() -> None:
    telemetry.set_up("")
    assert telemetry._tracer is None
