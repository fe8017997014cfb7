from __future__ import annotations

from dataclasses import dataclass
from math import inf

from hypothesis import given
from hypothesis import strategies as st

from observability.search.marks import ANY, STEPS, Judgement, mark, marks_of, other_steps, read, relabelled, steps


@dataclass
class Call:
    team: str = "payments"
    key: str = "ci"
    session: str = ""
    model: str = "m"
    provider: str = ""
    outcome: str = "finished"
    status: int | None = None
    changed_request: bool = False
    changed_response: bool = False
    cost_microdollars: int | None = None
    total_ms: float | None = None


def said(call: Call, *judgements: Judgement, tools: tuple[str, ...] = ()) -> set[tuple[str, str]]:
    return {read(word) for word in marks_of(call, judgements, tools).split(" ")}


def test_a_call_is_marked_by_what_its_record_says() -> None:
    assert said(Call()) == {
        ("", ""), ("team", "payments"), ("key", "ci"), ("model", "m"), ("outcome", "finished"), ("changed", "no"),
        ("cost", "none"), ("latency", "none"),
    }  # fmt: skip
    whole = Call(status=200, changed_request=True, changed_response=True, cost_microdollars=7, total_ms=0.5)
    judged = said(whole, Judgement("p", 3, "block"), Judgement("p", 3, "block"), tools=("bash", ""))
    assert judged - said(Call()) == {
        ("status", "200"), ("changed", "yes"), ("changed", "request"), ("changed", "answer"), ("cost", "17"),
        ("latency", "0"), ("tool", "bash"), ("policy", "p"), ("version", "p@3"), ("verdict", "block"),
        ("judged", "block:p"), ("judged", "block:p@3"), ("review", "blocked"), ("review", "blocked:p"),
    }  # fmt: skip


def test_labels_are_marked_and_what_waits_for_one() -> None:
    judged = [
        Judgement("p", 1, "failed_open"),
        Judgement("q", 1, "block", is_reviewed=True),
        Judgement("r", 1, "allow"),
    ]
    marks = marks_of(Call(), judged, (), ["fine"])

    def said(marks: str) -> set[tuple[str, str]]:
        return {read(word) for word in marks.split(" ") if read(word)[0] in ("label", "review")}

    assert said(marks) == {("label", "fine"), ("review", "failed"), ("review", "failed:p")}
    anew = relabelled(marks, judged[1:], ["reported"])
    assert said(anew) == {("label", "reported"), ("review", "reported")}
    assert said(relabelled(anew, [], ["missed", "reported"])) == {("label", "missed"), ("label", "reported")}
    assert said(relabelled(anew, [], [])) == set()
    others = [{word for word in each.split(" ") if read(word)[0] not in ("label", "review")} for each in (marks, anew)]
    assert others[0] == others[1]


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=80))
def test_a_mark_is_one_word_and_says_what_it_marks(value: str) -> None:
    word = mark("team", value)
    assert word.isalnum() and word.isascii() and word != ANY
    assert read(word) == ("team", value)


def test_what_no_text_may_hold_is_marked_all_the_same() -> None:
    assert read(mark("team", "\ud800")) == ("team", "?")
    assert len(mark("team", "x" * 1000)) == 1 + len("teamq3a") + 395
    assert len(mark("team", "X" * 1000)) < 1300


@given(st.floats(0, 1e11), st.floats(0, 1e11), st.floats(0, 1e11))
def test_the_steps_of_a_range_have_every_number_in_it(low: float, high: float, number: float) -> None:
    low, high = sorted((low, high))
    marked = said(Call(total_ms=number)) & {read(word) for word in steps("latency", low, high)}
    assert bool(marked) or not low <= number <= high
    assert len(steps("latency", -inf, inf)) == len(STEPS) + 1
    others = {read(word) for word in other_steps("latency", low, high)}
    assert ("latency", "none") in others
    assert (low <= number <= high) or said(Call(total_ms=number)) & others
    assert len(other_steps("latency", -inf, inf)) == 1
