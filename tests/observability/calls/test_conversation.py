from typing import Any

from observability.calls.conversation import LAZY, cards, sections, turns
from observability.diffs.blocks import Side
from tests.observability.calls.recorded import Verdict, text, tool_call


def side(original: list[dict[str, Any]], final: list[dict[str, Any]] | None = None) -> Side:
    return Side(changed=final is not None, original=original, final=original if final is None else final)


def result(words: str) -> dict[str, Any]:
    return {"role": "user", "kind": "tool_result", "text": words, "tool_call_id": "a", "is_error": False}


TOOL = {"kind": "tool", "name": "Bash", "text": "runs a command"}
SYSTEM = text("be kind", role="system")
ASKED, SAID, ASKED_AGAIN = text("hi", role="user"), text("hello", role="assistant"), text("and now?", role="user")


def told(blocks: list[dict[str, Any]], final: list[dict[str, Any]] | None = None) -> list[tuple[str, list[int]]]:
    """The sections of a request, with the numbers of their cards."""
    return [(each.kind, [card.number for card in each.cards]) for each in sections(cards(side(blocks, final)))]


def test_what_no_policy_changed_stands_there_once_with_its_verdicts() -> None:
    verdict = Verdict("text 1")
    first, second = cards(side([text("a"), text("b")]), {1: [verdict]})
    assert (first.is_same, first.verdicts, first.original_at, first.final_at) == (True, (), 0, 0)
    assert (second.verdicts, second.block) == ([verdict], text("b"))


def test_each_card_knows_where_its_blocks_are_on_record() -> None:
    made = cards(side([text("a"), text("b"), text("c")], [text("new"), text("a"), text("C")]), {1: [Verdict("text 1")]})
    assert [(card.pair.mark, card.original_at, card.final_at) for card in made] == [
        ("added", None, 0),
        ("same", 0, 1),
        ("changed", 1, 2),
        ("removed", 2, None),
    ]
    assert [len(card.verdicts) for card in made] == [0, 0, 1, 0]
    assert [card.block["text"] for card in made] == ["new", "a", "C", "c"]


def test_of_a_withheld_original_the_final_one_stands_alone() -> None:
    (card,) = cards(Side(changed=True, original=[], final=[text("a")]), withheld=True)
    assert (card.is_same, card.original_at, card.final_at) == (True, None, 0)


def test_a_request_is_read_from_its_last_turn_and_the_rest_is_folded() -> None:
    assert told([SYSTEM, ASKED, SAID, ASKED_AGAIN, TOOL, TOOL]) == [
        ("system", [0]),
        ("tools", [4, 5]),
        ("earlier", [1, 2]),
        ("talk", [3]),
    ]
    assert told([]) == []
    assert told([SYSTEM]) == [("system", [0])]


def test_a_tools_result_is_read_with_the_call_that_it_answers() -> None:
    call = tool_call("a", role="assistant")
    assert told([ASKED, SAID, call, result("done")]) == [("earlier", [0]), ("talk", [1, 2, 3])]
    assert told([result("of a call that was cut off")]) == [("talk", [0])]
    assert told([ASKED, SAID]) == [("earlier", [0, 1])]


def test_what_a_policy_changed_is_never_folded_away() -> None:
    final = [text("be very kind", role="system"), text("[name]", role="user"), SAID, ASKED_AGAIN]
    assert told([SYSTEM, ASKED, SAID, ASKED_AGAIN], final) == [
        ("talk", [0]),
        ("talk", [1]),
        ("earlier", [2]),
        ("talk", [3]),
    ]


def test_what_is_folded_and_long_is_fetched_when_it_is_unfolded() -> None:
    short, long = (sections(cards(side([text("x" * size, role="system")])))[0] for size in (LAZY, LAZY + 1))
    assert (short.lazy, long.lazy, long.folded, long.first, long.last) == (False, True, True, 0, 0)
    talk = sections(cards(side([tool_call("a", role="user"), text("x" * LAZY, role="user")])))[0]
    assert (talk.lazy, talk.size) == (False, LAZY + 2)
    assert [len(turn.cards) for turn in talk.turns] == [2]


def test_turns_say_who_spoke() -> None:
    blocks = [ASKED, ASKED_AGAIN, result("done"), SAID, TOOL, text("a", choice=0), text("b", choice=1)]
    assert [(turn.role, len(turn.cards)) for turn in turns(cards(side(blocks)))] == [
        ("user", 2),
        ("tools", 1),
        ("assistant", 1),
        ("", 1),
        ("assistant, choice 1", 1),
        ("assistant, choice 2", 1),
    ]
