"""Conversations are lists of words: `ask*` by the client, anything else by the model; a list of calls is a session."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from random import Random
from typing import Any

from observability.sessions.steps import Called, steps_of, text_digest
from observability.sessions.story import Thread, Told, tell
from policies.content import Message, Request, Response, Text

_times = count(1)


def told(id: str, talk: str, answer: str = "", *, at: int | None = None, model: str = "m", **more: Any) -> Told:
    """A call whose request is the words of `talk`; `answer` is what the client got."""
    messages = tuple(Message("user" if word[:3] == "ask" else "assistant", (Text(word),)) for word in talk.split())
    given = [Response(blocks=(Text(answer),))] if answer else []
    steps = steps_of(Request(model, messages), given, given)
    at = next(_times) * 1_000 if at is None else at
    values: dict[str, Any] = {
        "answered_at": at + 10,
        "request": steps.request,
        "answer": steps.answer,
        "opening": steps.opening,
        "setting": steps.setting,
        "texts": steps.texts,
    }
    return Told(id, at, **(values | more))


def task(id: str = "task_1", *asks: str, name: str = "Task") -> dict[str, Any]:
    return {"tools": [Called(id, name, tuple(map(text_digest, asks)))]}


def outline(threads: Sequence[Thread]) -> dict[str, list[tuple[str, int, str]]]:
    return {thread.id: [(turn.call, turn.shared, turn.after) for turn in thread.turns] for thread in threads}


def under(threads: Sequence[Thread]) -> dict[str, tuple[str, str, str, str]]:
    return {each.id: (each.kind, each.under, each.tool, each.evidence) for each in threads}


def test_no_calls_are_no_story() -> None:
    assert tell([]) == []


def test_a_conversation_that_goes_on_is_one_thread_of_what_is_new() -> None:
    threads = tell(
        [told("1", "ask1", "a"), told("2", "ask1 a ask2", "b"), told("3", "ask1 a ask2 b ask3", "c")],
    )
    assert outline(threads) == {"1": [("1", 0, ""), ("2", 2, "1"), ("3", 4, "2")]}
    assert under(threads) == {"1": ("main", "", "", "")}


def test_an_answer_that_the_client_sends_back_otherwise_is_new() -> None:
    threads = tell([told("1", "ask1", "a"), told("2", "ask1 edited ask2", "b")])
    assert outline(threads) == {"1": [("1", 0, ""), ("2", 1, "1")]}


def test_a_call_that_is_made_again_is_in_the_thread_and_the_last_answer_counts() -> None:
    threads = tell(
        [told("1", "ask1", ""), told("2", "ask1", "a"), told("3", "ask1 a ask2", ""), told("4", "ask1 a ask2", "b"),
         told("5", "ask1 a ask2 b ask3", "c")]
    )  # fmt: skip
    assert outline(threads) == {"1": [("1", 0, ""), ("2", 1, "1"), ("3", 2, "2"), ("4", 3, "3"), ("5", 4, "4")]}


def test_who_goes_back_goes_on_from_where_both_are_the_same() -> None:
    threads = tell([told("1", "ask1", "a"), told("2", "ask1 a ask2", "b"), told("3", "ask1 a ask_other", "c")])
    assert outline(threads)["1"][-1] == ("3", 2, "1")


def test_the_first_message_sent_again_with_more_goes_on() -> None:
    threads = tell([told("1", "ask1"), told("2", "ask1 ask2", "a")])
    assert outline(threads) == {"1": [("1", 0, ""), ("2", 1, "1")]}


def test_the_same_first_message_in_another_set_up_is_another_conversation() -> None:
    threads = tell(
        [told("title", "ask1", "t", model="small"), told("1", "ask1", "a"), told("2", "ask1 a ask2", "b")],
    )
    assert outline(threads) == {"title": [("title", 0, "")], "1": [("1", 0, ""), ("2", 2, "1")]}
    assert [thread.kind for thread in threads] == ["parallel", "main"]


def test_the_same_question_after_the_conversation_went_on_begins_another() -> None:
    threads = tell(
        [told("1", "ask1", "a"), told("2", "ask1 a ask2", "b"), told("3", "ask1", "z"), told("4", "ask1 z ask2", "b")]
    )
    assert outline(threads) == {"1": [("1", 0, ""), ("2", 2, "1")], "3": [("3", 0, ""), ("4", 2, "3")]}


def test_calls_that_nobody_can_read_stand_each_by_itself() -> None:
    assert len(tell([Told("1", 1), Told("2", 2)])) == 2


def test_a_conversation_that_begins_with_the_text_of_a_tool_call_is_its_subagent() -> None:
    threads = tell(
        [
            told("1", "ask1", "a", **task("t1", "ask_count")),
            told("s1", "ask_other", "x"),
            told("s2", "ask_count", "y"),
            told("s3", "ask_count y ask_go", "z"),
            told("2", "ask1 a ask_result", "b", results=["t1"]),
            told("p", "ask_late", "c"),
        ]
    )
    assert under(threads) == {
        "1": ("main", "", "", ""),
        "s1": ("subagent", "1", "t1", "time"),
        "s2": ("subagent", "1", "t1", "text"),
        "p": ("parallel", "", "", ""),
    }


def test_several_tasks_at_a_time_go_to_the_conversations_in_turn() -> None:
    tools = [Called("t1", "Task"), Called("t2", "AGENT"), Called("b", "bash")]
    threads = tell([told("1", "ask1", "a", tools=tools), *(told(f"s{n}", f"ask_s{n}", "x") for n in (1, 2, 3))])
    assert [each.tool for each in threads] == ["", "t1", "t2", ""]


def test_what_begins_before_the_tool_call_was_made_is_not_its_subagent() -> None:
    threads = tell([told("1", "ask1", "a", at=1, answered_at=100, **task()), told("title", "ask2", "t", at=50)])
    assert under(threads)["title"] == ("parallel", "", "", "")
    threads = tell([told("1", "ask1", "", at=1, answered_at=None, **task()), told("x", "ask2", "t", at=50)])
    assert under(threads)["x"] == ("parallel", "", "", "")


def test_subagents_have_subagents() -> None:
    threads = tell(
        [told("1", "ask1", "a", **task("t1")), told("s", "ask_s", "x", **task("t2", "ask_deep")), told("d", "ask_deep")]
    )
    assert [(each.id, each.under) for each in threads] == [("1", ""), ("s", "1"), ("d", "s")]


def test_agents_that_are_named_have_threads_of_their_own_even_where_they_begin_anew() -> None:
    threads = tell(
        [
            told("1", "ask1", "a", agent="main", **task("t1")),
            told("s1", "ask_s", "x", agent="sub", parent_agent="main"),
            told("s2", "ask_short", "y", agent="sub", parent_agent="main"),
            told("2", "ask1 a ask2", "b", agent="main", results=["t1"]),
            told("o", "ask1 a ask2 b ask_fork", "c", agent="fork", parent_agent="main"),
            told("u", "ask_u", "c", agent="unknown", parent_agent="nobody"),
        ]
    )
    assert outline(threads) == {
        "1": [("1", 0, ""), ("2", 2, "1")],
        "s1": [("s1", 0, ""), ("s2", 0, "")],
        "o": [("o", 4, "2")],
        "u": [("u", 0, "")],
    }
    assert under(threads) == {
        "1": ("main", "", "", ""),
        "s1": ("subagent", "1", "t1", "header"),
        "o": ("subagent", "2", "", "header"),
        "u": ("parallel", "", "", ""),
    }


def test_a_named_parent_takes_its_own_tool_calls_alone() -> None:
    threads = tell(
        [
            told("1", "ask1", "a", agent="one", **task("t1")),
            told("2", "ask2", "a", agent="two", **task("t2")),
            told("s", "ask_s", "x", agent="sub", parent_agent="two"),
        ]
    )
    assert under(threads)["s"] == ("subagent", "2", "t2", "header")


def test_a_tool_call_without_an_id_still_delegates() -> None:
    threads = tell([told("1", "ask1", "a", **task("")), told("s", "ask_s", "x")])
    assert under(threads)["s"] == ("subagent", "1", "", "time")


def test_any_order_tells_the_same_story() -> None:
    calls = [told("1", "ask1", "a", **task("t1")), told("s", "ask_s", "x")]
    calls += [told("2", "ask1 a ask2", "b", results=["t1"]), told("3", "ask1 a ask2 b ask3", "c")]
    straight = tell(calls)
    for seed in range(5):
        Random(seed).shuffle(calls)
        assert tell(calls) == straight


def test_a_long_session_is_one_thread_in_which_each_call_goes_on_from_the_last() -> None:
    words = [f"ask{place // 2}" if place % 2 == 0 else f"say{place // 2}" for place in range(401)]
    calls = [told(f"{n}", " ".join(words[: 2 * n + 1]), words[2 * n + 1]) for n in range(200)]
    (thread,) = tell(calls)
    assert [turn.shared for turn in thread.turns] == [2 * n for n in range(200)]
