from dataclasses import dataclass

import pytest

from observability.calls.timeline import SCALE, Lane, timeline
from tests.observability.calls.recorded import Released, Verdict


@dataclass
class Record:
    total_ms: float | None = 100.0
    upstream_head_ms: float | None = 30.0
    first_event_ms: float | None = 40.0


def lanes(record: Record, *verdicts: Verdict, released: tuple[Released, ...] = ()) -> dict[str, Lane]:
    told = timeline(record, verdicts, released)
    assert told is not None
    return {lane.label: lane for lane in told.lanes}


def places(lane: Lane) -> list[tuple[int, int]]:
    return [(span.x, span.width) for span in lane.spans]


def test_each_step_stands_where_it_happened() -> None:
    told = lanes(
        Record(),
        Verdict("request", hook="on_request", at_ms=5, took_ms=5),
        Verdict("request", hook="on_request", policy="other", at_ms=10, took_ms=10),
        Verdict("judge", hook="ask", at_ms=6, took_ms=3),
        Verdict("text 0", hook="on_text", at_ms=50, took_ms=20),
        Verdict("text 0", hook="on_text", at_ms=150, took_ms=20, late=True),
        released=(Released(0, "tool_call", "Bash", 75.0),),
    )
    assert places(told["Request policies"]) == [(50, 50), (100, 100)]
    assert told["Request policies"].ms == 15
    assert places(told["Judges asked"]) == [(60, 30)]
    assert places(told["Provider, until it answers"]) == [(200, 100)]
    assert places(told["Until its first event"]) == [(300, 100)]
    assert places(told["The answer"]) == [(400, 600)]
    assert places(told["Verdicts on the answer"]) == [(500, 200)]
    assert [span.title for span in told["Verdicts on the answer"].spans] == ["guard@1 allow"]
    (tick,) = told["Blocks released"].spans
    assert (tick.title, tick.x, told["Blocks released"].ms) == ("tool_call Bash", 750, None)


def test_what_a_call_did_not_come_to_has_no_lane() -> None:
    told = lanes(Record(first_event_ms=None, upstream_head_ms=None), Verdict("request", hook="on_request"))
    assert list(told) == ["Request policies"]
    assert list(lanes(Record(first_event_ms=None))) == ["Provider, until it answers"]


def test_the_scale_is_marked_at_its_quarters() -> None:
    told = timeline(Record(), [], [])
    assert told is not None
    assert told.marks == [0, 25, 50, 75, 100]
    assert timeline(Record(total_ms=None), [], []) is None


@pytest.mark.parametrize(("total", "at"), [(100.0, 100.0), (100.0, 1e6), (0.0, 0.0), (1e9, 1e9)])
def test_whatever_happened_can_be_seen_and_stays_inside(total: float, at: float) -> None:
    (span,) = lanes(Record(total, None, None), released=(Released(0, released_at_ms=at),))["Blocks released"].spans
    assert span.width > 0
    assert 0 <= span.x <= SCALE - span.width
