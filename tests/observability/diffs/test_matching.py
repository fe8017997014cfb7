import random
from collections.abc import Sequence
from itertools import pairwise

import pytest

from observability.diffs import matching
from observability.diffs.matching import ALIGNED, Run, aligned, runs


def test_what_is_equal_and_what_is_not_take_turns() -> None:
    assert list(runs("abcd", "axcde")) == [
        Run(True, 0, 1, 0, 1),
        Run(False, 1, 2, 1, 2),
        Run(True, 2, 4, 2, 4),
        Run(False, 4, 4, 4, 5),
    ]
    assert list(runs("ab", "ab")) == [Run(True, 0, 2, 0, 2)]
    assert list(runs("", "")) == []
    assert list(runs("", "a")) == [Run(False, 0, 0, 0, 1)]
    assert list(runs("a", "b")) == [Run(False, 0, 1, 0, 1)]


def test_what_stands_once_anchors_what_stands_often() -> None:
    left, right = list("xx1xx2xx"), list("x1xxx2x")
    assert matched(left, right) == [(0, 0), (2, 1), (3, 2), (4, 3), (5, 5), (7, 6)]


def test_anchors_that_changed_places_do_not_cross() -> None:
    assert matched("a12b", "c21d") in ([(1, 2)], [(2, 1)])


@pytest.mark.parametrize("seed", range(20))
def test_runs_tell_both_sides_whole_and_call_equal_what_is_equal(seed: int) -> None:
    chance = random.Random(seed)
    left = [chance.choice("abcdefgh") for _ in range(chance.randrange(40))]
    right = [*left[5:], *(chance.choice("abxyz") for _ in range(chance.randrange(20)))]
    told = list(runs(left, right))
    assert [item for run in told for item in left[run.start : run.end]] == left
    assert [item for run in told for item in right[run.other : run.other_end]] == right
    assert all(left[run.start : run.end] == right[run.other : run.other_end] for run in told if run.same)
    assert all(one.same != other.same for one, other in pairwise(told))


def test_the_work_is_bounded_where_nothing_stands_once(monkeypatch: pytest.MonkeyPatch) -> None:
    left, right = list("x" + "ab" * 20 + "y"), list("z" + "ba" * 20 + "w")
    assert any(run.same for run in runs(left, right))
    monkeypatch.setattr(matching, "STEPS", 100)
    assert list(runs(left, right)) == [Run(False, 0, 42, 0, 42)]
    monkeypatch.setattr(matching, "DEPTH", 0)
    assert not any(run.same for run in runs("a" * 5 + "1" + "b" * 5, "c" * 5 + "1" + "d" * 5))


def test_what_is_alike_stands_in_one_row_and_the_rest_fills_up() -> None:
    left = [{"rm", "rf", "ledger"}, {"echo", "done"}]
    right = [{"notice"}, {"rm", "rf", "name"}, {"more"}, {"echo", "done", "now"}]
    assert list(aligned(left, right)) == [(None, 0), (0, 1), (None, 2), (1, 3)]
    assert list(aligned([{"a"}, {"b"}], [{"c"}])) == [(0, 0), (1, None)]
    assert list(aligned([set()], [set()])) == [(0, 0)]


def test_long_stretches_are_filled_up_in_order() -> None:
    many: list[set[str]] = [{str(number)} for number in range(ALIGNED + 1)]
    assert list(aligned(many, many[1:]))[:2] == [(0, 0), (1, 1)]


def matched(left: Sequence[str], right: Sequence[str]) -> list[tuple[int, int]]:
    told = runs(left, right)
    return [
        pair
        for run in told
        if run.same
        for pair in zip(range(run.start, run.end), range(run.other, run.other_end), strict=True)
    ]
