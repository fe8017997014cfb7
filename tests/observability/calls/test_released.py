from typing import Any

import pytest

from observability.calls.attribution import attributed
from observability.calls.conversation import cards
from observability.calls.released import Entry, entries
from observability.diffs.blocks import Side
from tests.observability.calls.recorded import Released, Verdict, text, tool_call

GUARD = ("guard", 1)
WATCHES = {GUARD: frozenset({"on_tool_call", "on_text", "on_text_delta"})}


def released(
    original: list[dict[str, Any]],
    verdicts: list[Verdict],
    *,
    final: list[dict[str, Any]] | None = None,
    rows: list[Released] | None = None,
    duties: dict[tuple[str, int], frozenset[str]] = WATCHES,
) -> list[Entry]:
    given = original if final is None else final
    found = attributed(original, verdicts)
    answer = cards(Side(changed=final is not None, original=original, final=given), found.blocks)
    rows = rows or [Released(at, str(block["kind"])) for at, block in enumerate(given)]
    return entries(rows, answer, found, duties)


def test_a_released_block_names_the_versions_that_judged_it() -> None:
    verdicts = [
        Verdict("tool_call a"),
        Verdict("text 0", hook="on_text"),
        Verdict("answer", hook="on_answer", policy="all"),
    ]
    said, called = released([text("hi"), tool_call("a")], verdicts)
    assert (said.judged_by, said.missing) == (["guard@1", "all@1"], [])
    assert (called.judged_by, called.missing, called.ours) == (["guard@1", "all@1"], [], False)


def test_a_policy_that_failed_open_is_named_whatever_history_says() -> None:
    for mode, missing in (("enforce", [GUARD]), ("shadow", [])):
        (said,) = released([text("hi")], [Verdict("text 0", "failed_open", "on_text", mode=mode)], duties={})
        assert (said.judged_by, said.missing) == ([], missing)


def test_a_shadow_policy_lets_nothing_go() -> None:
    (said,) = released([text("hi")], [Verdict("text 0", hook="on_text", mode="shadow")], duties={})
    assert (said.judged_by, said.missing) == ([], [])


@pytest.mark.parametrize(
    "verdicts",
    [
        [],
        [Verdict("tool_call b")],
        [Verdict("tool_call a", "failed_open")],
        [Verdict("tool_call a", "not_reached")],
        [Verdict("tool_call a", policy="other")],
        [Verdict("tool_call a", version=2)],
        [Verdict("tool_call a", hook="on_answer")],
    ],
)
def test_a_block_that_left_without_the_verdict_it_needed_says_whose_is_missing(verdicts: list[Verdict]) -> None:
    (called,) = released([tool_call("a")], verdicts)
    assert called.missing == [GUARD]


def test_of_texts_as_many_verdicts_as_were_released_are_enough_for_places_may_shift() -> None:
    elsewhere = [Verdict("text 1", hook="on_text"), Verdict("text 7", hook="on_text")]
    first, second = released([text("a"), text("b")], elsewhere)
    assert first.missing == second.missing == []
    first, second = released([text("a"), text("b")], elsewhere[:1])
    assert (first.missing, second.missing) == ([GUARD], [])


def test_of_a_withheld_answer_a_call_is_found_by_its_id() -> None:
    verdict = Verdict("tool_call a")
    answer = cards(Side(changed=True, original=[], final=[tool_call("a")]), withheld=True)
    (called,) = entries([Released(0, "tool_call")], answer, attributed([], [verdict]), WATCHES)
    assert called.missing == []


def test_nobody_is_missed_who_had_nothing_to_say() -> None:
    assert released([tool_call("a")], [], duties={})[0].missing == []
    assert released([{"kind": "thinking", "text": "hm"}, {"kind": "opaque", "type": "x"}], [])[1].missing == []


def test_who_judges_whole_answers_has_to_have_judged_the_answer() -> None:
    duties = {GUARD: frozenset({"on_answer"})}
    assert released([text("hi")], [], duties=duties)[0].missing == [GUARD]
    assert released([text("hi")], [Verdict("answer", hook="on_answer")], duties=duties)[0].missing == []


def test_what_stands_for_a_blocked_block_was_judged_and_the_later_policies_were_not_reached() -> None:
    verdicts = [Verdict("tool_call a", "block"), Verdict("tool_call a", "not_reached", policy="later")]
    duties = {**WATCHES, ("later", 1): WATCHES[GUARD]}
    (notice,) = released([tool_call("a")], verdicts, final=[text("blocked")], duties=duties)
    assert (notice.missing, notice.judged_by) == ([], ["guard@1"])


def test_what_the_model_did_not_say_needs_no_verdict() -> None:
    said, ours = released([text("hi")], [Verdict("text 0", hook="on_text")], final=[text("hi"), text("a notice")])
    assert (said.ours, ours.ours, ours.missing, ours.judged_by) == (False, True, (), [])


def test_of_what_cannot_be_read_as_it_was_released_nothing_is_said() -> None:
    rows = [Released(0, "tool_call"), Released(7)]
    assert [(each.card, each.missing, each.ours) for each in released([text("hi")], [], rows=rows)] == [
        (None, (), False)
    ] * 2
