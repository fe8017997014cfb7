from dataclasses import replace

import pytest

from gateway.console.policies.ladder import (
    ALL_AT_ONCE,
    CHANGES_SIDES,
    FAILS_OPEN,
    IDLE,
    NO_SESSION,
    REWRITES,
    InForce,
    review,
    scope_words,
    steps,
)
from policies.active import Scope

SHADOW = InForce(1, "shadow", Scope(), 100, 0, "closed", 30.0, False, frozenset({"on_text"}))
ENFORCE = replace(SHADOW, mode="enforce")
REQUESTS = replace(ENFORCE, hooks=frozenset({"on_request"}))


def here(current: InForce | None) -> list[str]:
    return [step.rung for step in steps(current) if step.here]


def test_a_policy_stands_on_one_rung_or_on_none() -> None:
    assert (here(None), here(SHADOW), here(ENFORCE)) == ([], ["shadow"], ["all"])
    assert here(replace(ENFORCE, percent=10)) == ["share"]
    assert here(replace(SHADOW, percent=10)) == ["shadow"]


def test_each_rung_leads_to_its_mode_and_percentage() -> None:
    assert [(step.mode, step.percent) for step in steps(SHADOW)] == [("shadow", 100), ("enforce", 10), ("enforce", 100)]
    share = steps(replace(ENFORCE, percent=40))[1]
    assert share.percent == 40 and "40 %" in share.about


def test_a_scope_is_said_in_words() -> None:
    assert scope_words(Scope()) == "every call"
    assert scope_words(Scope(("a", "b*"), models=("m",))) == "calls of teams a, b*; models m"


def test_a_review_says_who_is_judged_and_what_becomes_of_the_others() -> None:
    share = replace(ENFORCE, version=2, percent=25)
    assert review(SHADOW, share, SHADOW).sentences[:2] == (
        "Version 2 judges, and what it decides holds: in 25 % of sessions, for every call.",
        "The other 75 % of sessions stay with version 1 in shadow mode.",
    )
    assert review(None, share, None).sentences[1] == "The other 75 % of sessions are not judged by this policy."
    assert "all sessions" in review(None, SHADOW, None).sentences[0]


def test_a_review_shows_every_term_and_which_differ() -> None:
    then = replace(SHADOW, version=2, mode="enforce", on_failure="open", redacted=True, deadline=2.5)
    changes = {change.label: change for change in review(SHADOW, then, None).changes}
    assert [label for label, change in changes.items() if change.differs] == [
        *("Version", "Mode", "If it fails", "Deadline", "Originals")
    ]
    assert (changes["Deadline"].before, changes["Deadline"].after) == ("30 s", "2.5 s")
    assert all(change.differs for change in review(None, SHADOW, None).changes)


@pytest.mark.parametrize(
    ("before", "after", "warnings"),
    [
        (None, SHADOW, ()),
        (SHADOW, ENFORCE, (ALL_AT_ONCE,)),
        (None, ENFORCE, (ALL_AT_ONCE,)),
        (ENFORCE, replace(ENFORCE, version=2), ()),
        (SHADOW, replace(ENFORCE, percent=10), ()),
        (SHADOW, replace(ENFORCE, percent=0), (NO_SESSION,)),
        (None, replace(SHADOW, on_failure="open"), (FAILS_OPEN,)),
        (None, replace(SHADOW, hooks=frozenset({"on_end"})), (IDLE,)),
        (None, REQUESTS, (REWRITES, ALL_AT_ONCE)),
        (SHADOW, replace(REQUESTS, percent=10), (REWRITES + CHANGES_SIDES,)),
        (replace(REQUESTS, percent=10), REQUESTS, (REWRITES + CHANGES_SIDES,)),
        (REQUESTS, replace(REQUESTS, order=5), ()),
        (REQUESTS, replace(REQUESTS, scope=Scope(("a",))), (REWRITES,)),
        (REQUESTS, ENFORCE, (REWRITES,)),
        (REQUESTS, replace(REQUESTS, mode="shadow"), (REWRITES,)),
        (replace(REQUESTS, mode="shadow"), replace(REQUESTS, mode="shadow", version=2), ()),
    ],
)
def test_warnings_are_about_what_a_step_may_break(
    before: InForce | None, after: InForce, warnings: tuple[str, ...]
) -> None:
    assert review(before, after, None).warnings == warnings
