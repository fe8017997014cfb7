import json

import pytest

from gateway.calls import Clock, Head, new_call_id
from gateway.dialects import ANTHROPIC, OPENAI_CHAT
from gateway.dialects.base import Dialect
from gateway.errors import GatewayError, RequestBlocked, RequestRefused, Unavailable, UpstreamUnavailable


def test_ids_sort_by_the_time_they_were_made(monkeypatch: pytest.MonkeyPatch) -> None:
    millisecond = 1_000_000
    ids = []
    for now in (1, 2, 15, 16, 1_700_000_000_000, 1_700_000_000_001, 4_000_000_000_000):
        monkeypatch.setattr("time.time_ns", lambda now=now: now * millisecond)
        ids.append(new_call_id())
    assert ids == sorted(ids)
    assert len({len(each) for each in ids}) == 1
    assert new_call_id() != new_call_id()


def test_a_clock_tells_our_own_part_from_the_upstreams_and_the_verdicts() -> None:
    clock = Clock(began=0.0, sent=1.0, answered=4.0, held=2.0)
    assert clock.upstream == 3.0
    assert clock.overhead(10.0) == 5.0
    assert clock.overhead(1.0) == 0.0
    assert Clock(0.0).upstream == 0.0
    assert [part.split(";")[0] for part in clock.server_timing().split(", ")] == ["upstream", "hold", "overhead"]


def test_attempts_that_came_to_nothing_are_the_upstreams_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(began=0.0, sent=1.0, answered=2.0, first_event=3.0, held=0.5)
    monkeypatch.setattr("gateway.calls.perf_counter", lambda: 6.0)
    clock.again(held=2.5)
    assert (clock.wasted, clock.upstream, clock.first_event) == (3.0, 3.0, 0.0)
    clock.sent, clock.answered, clock.held = 7.0, 8.0, 2.5
    assert clock.upstream == 4.0
    assert clock.overhead(10.0) == 3.5


def test_a_providers_own_error_is_told_as_it_came() -> None:
    error = UpstreamUnavailable("p", 529, [("retry-after", "3"), ("set-cookie", "x")], b"as it came")
    head = Head.of_error(error, ANTHROPIC, "call_1")
    assert (head.status, head.headers, head.body) == (529, [("retry-after", "3")], b"as it came")
    assert "529" in str(error)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (GatewayError("x"), {}),
        (RequestBlocked("x"), {"x-should-retry": "false"}),
        (Unavailable("x", retry_after=0.01), {"retry-after": "1"}),
        (RequestRefused("x", 429, retry_after=7.2), {"retry-after": "8"}),
        (RequestRefused("x", 429, retry_after=None), {"x-should-retry": "false"}),
    ],
)
@pytest.mark.parametrize("dialect", [ANTHROPIC, OPENAI_CHAT], ids=lambda dialect: dialect.name)
def test_an_error_says_in_its_headers_whether_to_try_again(
    dialect: Dialect, error: GatewayError, expected: dict[str, str]
) -> None:
    head = Head.of_error(error, dialect, "call_1")
    assert head.status == error.status
    assert dict(head.headers) == {"content-type": "application/json", **expected}
    assert json.loads(head.body or b"")["error"]["message"] == "x"


def test_every_answer_is_signed_with_the_same_three_headers() -> None:
    head = Head(200, [("x-theirs", "1")], b"body", b"ping").signed("call_1", Clock(0.0), "a@1, b@2")
    names = [name for name, _ in head.headers]
    assert names == ["x-theirs", "x-luthien-call-id", "x-luthien-policies", "server-timing"]
    assert dict(head.headers)["x-luthien-policies"] == "a@1, b@2"
    assert (head.status, head.body, head.keepalive) == (200, b"body", b"ping")
