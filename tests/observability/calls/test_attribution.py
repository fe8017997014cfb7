from observability.calls.attribution import attributed
from tests.observability.calls.recorded import Verdict, text, tool_call

THINKING = {"kind": "thinking", "text": "hm"}


def test_a_verdict_stands_beside_the_block_that_it_names() -> None:
    on_text, on_thinking, on_call = Verdict("text 1"), Verdict("thinking 0"), Verdict("tool_call toolu_1")
    found = attributed([THINKING, text("a"), tool_call("toolu_1")], [on_text, on_thinking, on_call])
    assert found.blocks == {0: [on_thinking], 1: [on_text], 2: [on_call]}
    assert found.answer == found.request == found.asked == []


def test_verdicts_on_the_request_on_the_answer_and_questions_stand_apart() -> None:
    on_request, on_answer = Verdict("request", hook="on_request"), Verdict("answer", hook="on_answer")
    question = Verdict("judge-model", hook="ask")
    found = attributed([text("a")], [on_request, on_answer, question])
    assert (found.request, found.answer, found.asked, found.blocks) == ([on_request], [on_answer], [question], {})


def test_later_policies_count_what_the_earlier_ones_let_pass() -> None:
    blocks = [text("a"), text("b"), tool_call("1"), text("c")]
    blocked, fine = Verdict("text 0", "block"), [Verdict("text 1"), Verdict("text 3")]
    later = [Verdict("text 0", policy="later"), Verdict("text 2", policy="later")]
    assert attributed(blocks, [blocked, *fine, *later]).blocks == {
        0: [blocked],
        1: [fine[0], later[0]],
        3: [fine[1], later[1]],
    }


def test_a_shadow_policy_keeps_nothing_from_the_later_ones() -> None:
    shadow, later = Verdict("text 0", "block", mode="shadow"), Verdict("text 0", policy="later")
    assert attributed([text("a"), text("b")], [shadow, later]).blocks == {0: [shadow, later]}


def test_each_choice_has_its_own_verdict() -> None:
    first, second, third = Verdict("text 0"), Verdict("text 0"), Verdict("text 0")
    found = attributed([text("a", choice=0), text("b", choice=1)], [first, second, third])
    assert found.blocks == {0: [first], 1: [second, third]}


def test_a_verdict_on_what_is_not_to_be_found_is_about_the_answer() -> None:
    labels = ("text 7", "text one", "tool_call unknown", "text 1", "image \N{SUPERSCRIPT TWO}", "")
    lost = [Verdict(label) for label in labels]
    found = attributed([text("a"), tool_call("1")], lost)
    assert (found.answer, found.blocks) == (lost, {})


def test_a_tool_call_without_an_id_is_found_by_its_place() -> None:
    verdict = Verdict("tool_call 1")
    assert attributed([text("a"), tool_call("")], [verdict]).blocks == {1: [verdict]}
