from __future__ import annotations

import pytest

from observability.reviews import labelling
from observability.reviews.models import WHOLE_CALL, Label
from observability.reviews.queue import KINDS, Waiting, of_call, waiting
from observability.search.language import parse
from tests.observability.reviews.conftest import NOW, put

pytestmark = pytest.mark.django_db


def places(page: Waiting) -> list[tuple[str, int]]:
    return [(item.call.pk, item.position) for item in page.items]


def wait(kind: str, text: str = "", **how: object) -> list[tuple[str, int]]:
    return places(waiting(kind, parse(text, NOW), **how))  # type: ignore[arg-type]


def test_each_kind_of_verdict_waits_under_its_own_name() -> None:
    put(1, "a allow", "a block", "b stop", "c refuse")
    put(2, "a replace", "b respond", "c not_reached")
    put(3, "a failed_open", "b failed_closed")
    labelling.report(put(4, "a block", "b replace"))
    labelling.report(put(5))
    assert {kind: wait(kind) for kind in KINDS} == {
        "blocked": [("call_004", 0), ("call_001", 1), ("call_001", 2)],
        "failed": [("call_003", 0), ("call_003", 1)],
        "changed": [("call_004", 1), ("call_002", 0), ("call_002", 1)],
        "reported": [("call_005", WHOLE_CALL), ("call_004", 0)],
    }


def test_what_was_labelled_waits_no_longer_and_comes_back_when_that_is_taken_back() -> None:
    call, other = put(1, "a block", "b block"), put(2, "a block")
    labelling.label(call, 0, Label.TRUE_ALARM, by="rita")
    assert wait("blocked") == [(other.pk, 0), (call.pk, 1)]
    labelling.label(call, 1, Label.TRUE_ALARM, by="rita")
    labelling.label(other, WHOLE_CALL, Label.FINE, by="rita")
    assert wait("blocked") == []
    labelling.withdraw(call, 0, by="rita")
    assert wait("blocked") == [(call.pk, 0)]


def test_a_report_waits_until_a_reviewer_said_anything_of_the_call() -> None:
    call = put(1, "a block", "b block")
    labelling.report(call)
    labelling.label(call, 0, Label.FALSE_ALARM, by="rita")
    assert wait("reported") == []


def test_filters_are_those_of_the_list_of_calls_and_a_policy_is_the_one_that_decided() -> None:
    put(1, "a allow", "b block", team="x")
    put(2, "a block", "b block", team="y")
    assert wait("blocked", "policy:a") == [("call_002", 0)]
    assert wait("blocked", "policy:b@3 team:x") == [("call_001", 1)]
    assert wait("blocked", "-policy:a") == []
    assert wait("blocked", teams=["x"]) == [("call_001", 1)]
    assert wait("blocked", teams=[]) == []


def test_pages_follow_one_another_without_gap_or_repeat() -> None:
    for number in range(7):
        put(number, "a block")
    found: list[tuple[str, int]] = []
    before = ""
    while True:
        page = waiting("blocked", before=before, limit=3)
        found += places(page)
        if not (before := page.older):
            break
    assert found == [(f"call_{number:03}", 0) for number in reversed(range(7))]


def test_on_a_call_everything_that_did_something_or_is_labelled_can_be_labelled() -> None:
    call = put(1, "a allow", "b allow", "c block")
    labelling.label(call, 1, Label.MISSED, by="rita")
    labelling.report(call)
    items, report = of_call(call, list(call.decisions.all()))
    assert [(item.position, item.review.label if item.review else "") for item in items] == [
        (WHOLE_CALL, ""), (1, "missed"), (2, ""),
    ]  # fmt: skip
    assert report is not None and report.label == "reported"
