"""Shadow policies: they see, they are on record, and nothing else."""

import asyncio
from typing import Any

import pytest

from gateway.executor import shadow as shadow_module
from policies.active import ActivePolicy
from policies.base import Call
from policies.content import Request, Text, ToolCall
from policies.events import BlockDelta, Event
from policies.verdicts import Decision, Verdict, allow, block, replace, retry, stop

from .playing import Played, Source, active, answer, choices, noting, play, prepared, same_objects, through
from .test_request import ASKED

LS = ToolCall("t1", "bash", '{"command":"ls"}')
PWD = ToolCall("t2", "bash", '{"command":"pwd"}')
EVENTS = answer(Text("hello"), LS, stop="tool_use")


def shadow(name: str = "watching", /, **how: Any) -> ActivePolicy:
    return active(name, mode="shadow", **how)


async def judged(played: Played, count: int) -> list[Decision]:
    """The decisions, once there are `count`; shadow verdicts come in the loop's next rounds."""
    for _ in range(200):
        if len(played.decisions) >= count:
            break
        await asyncio.sleep(0)
    assert len(played.decisions) == count
    return played.decisions


@pytest.mark.parametrize("verdict", [block("no"), stop("no"), replace(()), None, retry("other")])
@pytest.mark.parametrize("hook", ["on_text", "on_thinking", "on_tool_call", "on_answer"])
async def test_a_shadow_changes_nothing_whatever_it_says(hook: str, verdict: Verdict | None) -> None:
    played = await play(EVENTS, shadow(**{hook: lambda subject, call: verdict}))
    assert same_objects(played.events, EVENTS)
    assert not played.executor.changed
    assert not played.executor.enforces_answers
    assert played.executor.held == 0.0
    decisions = await judged(played, 0 if hook == "on_thinking" else 1)
    assert all(made.mode == "shadow" and made.hook == hook for made in decisions)


@pytest.mark.parametrize("hook", ["on_event", "on_text_delta", "on_tool_call_delta", "on_finish"])
async def test_a_shadow_raises_harmlessly(hook: str) -> None:
    def raising(*arguments: object) -> None:
        raise SystemExit

    played = await play(EVENTS, shadow(**{hook: raising}))
    assert same_objects(played.events, EVENTS)
    assert {(made.mode, made.action) for made in await judged(played, 1)} == {("shadow", "failed_closed")}


async def test_a_shadow_cannot_change_an_event_in_place() -> None:
    def hook(event: Event, call: Call) -> Event:
        if isinstance(event, BlockDelta):
            event.text = "shadowed"
        return event

    seen: list[str] = []
    played = await play(
        EVENTS, shadow(on_event=hook, on_text=lambda text, call: noting(seen, text.text, allow())), active()
    )
    await judged(played, 1)
    assert same_objects(played.events, EVENTS)
    assert seen == ["shadowedshadowed"]


async def test_a_shadow_holds_nothing_and_its_verdict_may_come_after_the_end() -> None:
    verdict = asyncio.get_running_loop().create_future()
    played = await play(EVENTS, shadow(on_text=lambda text, call: verdict, on_tool_call=lambda t, call: block("no")))
    assert same_objects(played.events, EVENTS)
    assert played.decisions == []
    verdict.set_result(block("late"))
    assert [(made.block, made.action) for made in await judged(played, 2)] == [
        ("text 0", "block"),
        ("tool_call t1", "block"),
    ]


async def test_a_shadow_sees_the_stream_at_its_place_in_the_chain() -> None:
    seen: list[str] = []

    def look(text: Text, call: Call) -> Verdict:
        seen.append(text.text)
        return allow()

    shout = active("shout", on_text=lambda text, call: replace(Text(text.text.upper())))
    played = await play(answer(Text("hello")), shadow("a", on_text=look), shout, shadow("b", on_text=look))
    await judged(played, 3)
    assert sorted(seen) == ["HELLO", "hello"]


async def test_a_shadow_sees_no_notice_and_not_what_was_blocked() -> None:
    seen: list[Event] = []
    guard = active("guard", on_tool_call=lambda tool_call, call: block("no"))
    played = await play(EVENTS, guard, shadow(on_event=lambda event, call: noting(seen, event, event)))
    for _ in range(10):
        await asyncio.sleep(0)
    assert seen == [*EVENTS[:5], EVENTS[-1]]
    assert [made.policy for made in played.decisions] == ["guard"]


async def test_a_shadow_judges_every_choice() -> None:
    seen: list[str] = []

    def look(response: Any, call: Call) -> Verdict:
        seen.append(response.text)
        return allow() if len(seen) > 1 else retry("other")

    events = choices(answer(Text("a")), answer(Text("b")))
    played = await play(events, shadow(on_answer=look), request=Request("m", choices=1))
    await judged(played, 2)
    assert seen == ["a", "b"]


async def test_a_shadow_is_asked_in_order_request_answer_end() -> None:
    order: list[str] = []
    first = asyncio.get_running_loop().create_future()

    async def on_request(request: Request, call: Call) -> Verdict:
        order.append("asked")
        verdict: Verdict = await first
        order.append("answered")
        return verdict

    played = prepared(
        shadow(
            on_request=on_request,
            on_text=lambda text, call: noting(order, "text", allow()),
            on_end=lambda call, outcome: order.append(outcome),
        )
    )
    assert await played.executor.check(ASKED) is ASKED
    async for batch in through(played.executor, Source([EVENTS]).stream()):
        played.batches.append(batch)
    await played.executor.end("finished")
    for _ in range(10):
        await asyncio.sleep(0)
    assert order == ["asked"]
    first.set_result(block("no"))
    await judged(played, 2)
    for _ in range(10):
        await asyncio.sleep(0)
    assert order == ["asked", "answered", "text", "finished"]


async def test_a_shadow_that_falls_too_far_behind_loses_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shadow_module, "LONGEST_LAG", 4)
    verdict = asyncio.get_running_loop().create_future()
    events = answer(Text("hello"), Text("this is a longer text"), LS)
    played = await play(
        Source([[event] for event in events]),
        shadow(on_text=lambda text, call: verdict, on_answer=lambda response, call: allow()),
        active("guard", on_text=lambda text, call: allow()),
    )
    assert same_objects(played.events, events)
    verdict.set_result(allow())
    for _ in range(20):
        await asyncio.sleep(0)
    lost = [made for made in played.decisions if made.reason == "fell too far behind"]
    assert [(made.policy, made.mode, made.action) for made in lost] == [("watching", "shadow", "failed_closed")]
    assert not any(made.hook == "on_answer" and made.action == "allow" for made in played.decisions)


async def test_a_shadow_outlives_a_client_that_leaves_and_judges_what_had_come() -> None:
    played = prepared(shadow(on_text=lambda text, call: block("no"), on_tool_call=lambda tool_call, call: block("no")))
    run = through(played.executor, Source([EVENTS[:5], EVENTS[5:7], EVENTS[7:]]).stream())
    await anext(run)
    await anext(run)
    await run.aclose()
    assert [made.block for made in await judged(played, 1)] == ["text 0"]
    for _ in range(10):
        await asyncio.sleep(0)
    assert len(played.decisions) == 1


async def test_no_task_is_left_behind() -> None:
    before = asyncio.all_tasks()
    played = await play(EVENTS, shadow(on_text=lambda text, call: allow(), on_answer=lambda response, call: allow()))
    await judged(played, 2)
    for _ in range(10):
        await asyncio.sleep(0)
    assert asyncio.all_tasks() == before
