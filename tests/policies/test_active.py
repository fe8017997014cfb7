from typing import Any

import pytest

from policies.active import ActivePolicy, ActiveSet, Scope, place
from policies.library.noop import Noop

NOOP = Noop()


def active(name: str, **options: Any) -> ActivePolicy:
    return ActivePolicy(name, 1, NOOP, **options)


@pytest.mark.parametrize(
    ("scope", "matches"),
    [
        (Scope(), True),
        (Scope(teams=("pay*",)), True),
        (Scope(teams=("ops", "payments")), True),
        (Scope(teams=("ops",)), False),
        (Scope(keys=("CI",)), False),
        (Scope(models=("claude-*-5",)), True),
        (Scope(models=("gpt-*",)), False),
        (Scope(teams=("payments",), keys=("other",)), False),
        (Scope(keys=()), False),
    ],
)
def test_a_scope_wants_all_three_to_match(scope: Scope, matches: bool) -> None:
    assert scope.matches("payments", "ci", "claude-opus-5") is matches


def test_a_sessions_place_is_fixed_for_ever_and_differs_by_policy() -> None:
    assert [place("session", "a"), place("session", "b"), place("", "a")] == [7, 55, 68]


def test_sessions_are_spread_evenly() -> None:
    chosen = sum(place(f"session {number}", "p") < 30 for number in range(10_000))
    assert 2800 < chosen < 3200


def test_none_and_all_of_the_sessions() -> None:
    assert active("p", percent=0).for_session("s") is None
    everybody = active("p", percent=100)
    assert everybody.for_session("s") is everybody


def test_the_rest_go_to_the_fallback() -> None:
    rest = active("p", percent=100)
    share = active("p", percent=50, fallback=rest)
    served = {share.for_session(f"session {number}") for number in range(50)}
    assert served == {rest, share}


def test_a_selection_is_in_order_and_in_scope() -> None:
    first, other, second = active("a"), active("b", scope=Scope(teams=("x",))), active("c")
    gone = active("d", percent=0)
    assert ActiveSet(1, (first, other, second, gone)).select("t", "k", "m", "s") == (first, second)


def test_a_fallback_has_a_scope_of_its_own() -> None:
    share = active("p", percent=0, fallback=active("p", scope=Scope(teams=("x",))))
    assert ActiveSet(1, (share,)).select("t", "k", "m", "s") == ()
    assert ActiveSet(1, (share,)).select("x", "k", "m", "s") == (share.fallback,)
