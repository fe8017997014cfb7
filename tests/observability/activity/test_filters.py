from __future__ import annotations

from typing import Any

import pytest

from observability.activity.filters import LONGEST, Filter

EVENT: dict[str, Any] = {
    **{"kind": "verdict", "call": "call_1", "session": "ses_1", "team": "Payments", "key": "ci", "model": "fast"},
    **{"policy": "no-shell", "verdict": "block", "summary": "blocked toolu_1: recursive delete"},
}


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"call": "call_1"},
        {"session": "SES"},
        {"team": "pay"},
        {"key": "ci", "model": "fas"},
        {"policy": "shell"},
        {"verdict": "replace, block"},
        {"kind": "finished,verdict"},
        {"text": "Recursive"},
        {"text": "no-shell"},
    ],
)
def test_what_a_filter_names_passes(wanted: dict[str, str]) -> None:
    assert Filter.of(wanted).matches(EVENT)


@pytest.mark.parametrize(
    "wanted",
    [{"call": "call_2"}, {"kind": "verdic"}, {"verdict": "allow"}, {"team": "pay", "key": "other"}, {"text": "rm -rf"}],
)
def test_all_else_does_not(wanted: dict[str, str]) -> None:
    assert not Filter.of(wanted).matches(EVENT)


def test_events_without_a_policy_match_no_policy() -> None:
    assert not Filter.of({"policy": "no-shell"}).matches({"kind": "finished", "call": "call_1", "summary": ""})


def test_what_a_page_sends_is_bounded_and_what_is_no_text_is_left_out() -> None:
    made = Filter.of({"text": "x" * 9_000, "team": 7, "unknown": "y", "key": None, "kind": " verdict "})
    assert made == Filter(text="x" * LONGEST, kind="verdict")
    assert Filter.of({}).is_empty and not made.is_empty
