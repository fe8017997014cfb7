"""A policy that raises, hangs, cancels or leaks: what the call does, and what stands on record."""

import asyncio
import gc
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from gateway.executor import PolicyExecutor
from gateway.executor.judge import LONGEST_REASON
from policies.base import Call
from policies.content import Text, ToolCall
from policies.events import Event
from policies.verdicts import Verdict, allow, block

from .playing import Source, active, answer, check, play, prepared, same_objects, through
from .test_request import ASKED

LS = ToolCall("t1", "bash", '{"command":"ls"}')
EVENTS = answer(Text("hello"), LS, stop="tool_use")
JUDGING = ["on_text", "on_tool_call", "on_answer"]


async def raising(subject: object, call: Call) -> Verdict:
    raise ValueError("sk-secret was in the text")


async def hanging(subject: object, call: Call) -> Verdict:
    await asyncio.get_running_loop().create_future()
    return allow()


async def deaf(subject: object, call: Call) -> Verdict:
    """Ignores its cancellation, and would let everything pass."""
    never = asyncio.get_running_loop().create_future()
    while not call.state.get("over"):
        try:
            await asyncio.shield(never)
        except asyncio.CancelledError:
            call.state["over"] = call.state.get("twice", False)
            call.state["twice"] = True
    return allow()


async def cancelling(subject: object, call: Call) -> Verdict:
    raise asyncio.CancelledError


async def cancelling_its_task(subject: object, call: Call) -> Verdict:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    return allow()


async def leaving(subject: object, call: Call) -> Verdict:
    raise SystemExit(1)


async def timing_out(subject: object, call: Call) -> Verdict:
    raise TimeoutError("of its own")


async def failing_together(subject: object, call: Call) -> Verdict:
    raise BaseExceptionGroup("all", [asyncio.CancelledError()])


def silent(subject: object, call: Call) -> None:
    return None


FAILING: dict[str, tuple[Any, str]] = {
    "raises": (raising, "raised ValueError"),
    "hangs": (hanging, "did not finish within 0.01 s"),
    "ignores its cancellation": (deaf, "did not finish within 0.01 s"),
    "raises a cancellation": (cancelling, "raised CancelledError"),
    "cancels its task": (cancelling_its_task, "cancelled itself"),
    "exits": (leaving, "raised SystemExit"),
    "raises a timeout": (timing_out, "raised TimeoutError"),
    "raises a group": (failing_together, "raised BaseExceptionGroup"),
    "returns nothing": (silent, "returned something that is not a verdict"),
}


def deadline(how: str) -> float:
    """Seconds; short only where it is waited for."""
    return 0.01 if "did not finish" in FAILING[how][1] else 30.0


@pytest.mark.parametrize("how", FAILING)
@pytest.mark.parametrize("hook", JUDGING)
async def test_a_failing_policy_blocks(hook: str, how: str) -> None:
    failing, reason = FAILING[how]
    played = await play(EVENTS, active(**{hook: failing}, deadline=deadline(how)))
    assert [(made.hook, made.action, made.reason) for made in played.decisions] == [(hook, "failed_closed", reason)]
    assert "the policy failed" in " ".join(played.texts)
    assert (hook == "on_text") == (LS in played.response.blocks)


@pytest.mark.parametrize("how", FAILING)
@pytest.mark.parametrize("hook", JUDGING)
async def test_a_failing_policy_that_fails_open_lets_pass_and_is_on_record(hook: str, how: str) -> None:
    failing, reason = FAILING[how]
    played = await play(EVENTS, active(**{hook: failing}, deadline=deadline(how), on_failure="open"))
    assert same_objects(played.events, EVENTS)
    assert [(made.hook, made.action, made.reason) for made in played.decisions] == [(hook, "failed_open", reason)]


@pytest.mark.parametrize("how", FAILING)
async def test_a_request_hook_fails_the_same_way(how: str) -> None:
    failing, reason = FAILING[how]
    _, played = await check(ASKED, active(on_request=failing, deadline=deadline(how)))
    assert [(made.hook, made.action, made.reason) for made in played.decisions] == [
        ("on_request", "failed_closed", reason)
    ]


@pytest.mark.parametrize("raised", [ValueError, asyncio.CancelledError, SystemExit, GeneratorExit])
@pytest.mark.parametrize("hook", ["on_event", "on_text_delta", "on_tool_call_delta"])
async def test_a_hook_that_is_never_awaited_may_raise_anything(hook: str, raised: type[BaseException]) -> None:
    def failing(*arguments: object) -> None:
        raise raised

    played = await play(EVENTS, active(**{hook: failing}))
    assert {(made.action, made.reason) for made in played.decisions} == {("failed_closed", f"raised {raised.__name__}")}


async def test_an_exception_beyond_all_classes_ends_the_answer() -> None:
    class Strange(BaseException):
        pass

    async def strange(subject: object, call: Call) -> Verdict:
        raise Strange

    for hook in JUDGING:
        with pytest.raises(Strange):
            await play(EVENTS, active(**{hook: strange}))


async def test_an_operators_interrupt_is_no_failure_of_the_policy() -> None:
    def interrupted(text: str, call: Call, final: bool) -> tuple[str, int]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await play(EVENTS, active(on_text_delta=interrupted))


@pytest.mark.parametrize("hook", ["on_text", "on_tool_call", "on_answer", "on_event", "on_text_delta"])
async def test_nothing_of_an_exception_reaches_client_or_record(hook: str) -> None:
    def leaking(*arguments: object) -> None:
        raise ValueError("sk-secret")

    played = await play(EVENTS, active(**{hook: leaking}))
    assert "sk-secret" not in repr(played.events) + repr(played.decisions)


@pytest.mark.filterwarnings("ignore:coroutine")
async def test_a_hook_that_is_async_though_nobody_awaits_it_fails() -> None:
    async def fragment(text: str, call: Call) -> None: ...

    played = await play(EVENTS, active(on_tool_call_delta=fragment))
    assert [(made.action, made.reason) for made in played.decisions] == [("failed_closed", "returned something")]
    gc.collect()


async def test_no_task_is_left_when_a_client_leaves_in_mid_judgement() -> None:
    began = asyncio.Event()
    cancelled = asyncio.Event()

    async def slow(subject: object, call: Call) -> Verdict:
        began.set()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            cancelled.set()
        return allow()

    before = asyncio.all_tasks()
    for hook in JUDGING:
        began.clear()
        cancelled.clear()
        source = Source([[event] for event in EVENTS])
        playing = asyncio.create_task(play(source, active(**{hook: slow})))
        await began.wait()
        playing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await playing
        await cancelled.wait()
        assert source.closed
    await _idle()
    assert asyncio.all_tasks() == before


async def test_closing_the_answer_between_events_cancels_what_is_judged_beside() -> None:
    began, cancelled = asyncio.Event(), asyncio.Event()

    async def slow(subject: object, call: Call) -> Verdict:
        began.set()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            cancelled.set()
        return allow()

    source = Source([EVENTS[:-1], EVENTS[-1:]])
    events = through(prepared(active(on_tool_call=slow)).executor, source.stream())
    assert same_objects(await anext(events), EVENTS[:5])
    await began.wait()
    await events.aclose()
    await cancelled.wait()
    assert source.closed
    assert source.read == 1


async def test_an_upstream_that_breaks_off_breaks_off_the_answer() -> None:
    cancelled = asyncio.Event()

    async def slow(subject: object, call: Call) -> Verdict:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            cancelled.set()
        return allow()

    async def upstream() -> AsyncGenerator[list[Event], None]:
        for event in answer(LS)[:-1]:
            yield [event]
        await asyncio.sleep(0)
        raise ConnectionResetError

    played = prepared(active(on_tool_call=slow))
    with pytest.raises(ConnectionResetError):
        async for batch in through(played.executor, upstream()):
            played.batches.append(batch)
    await cancelled.wait()
    assert len(played.events) == 1


async def test_a_record_that_cannot_be_kept_ends_the_answer() -> None:
    def full(decision: object) -> None:
        raise OSError("disk full")

    played = prepared(active(on_tool_call=lambda tool_call, call: allow()))
    played.executor._judges[0]._record = full
    with pytest.raises(OSError, match="disk full"):
        async for batch in through(played.executor, Source([EVENTS]).stream()):
            played.batches.append(batch)
    assert LS.id not in repr(played.events)


@pytest.mark.parametrize(
    ("reason", "kept"),
    [
        ("x" * 5_000, "x" * LONGEST_REASON),
        ("one\ntwo\x00\x1b[31m\ud800\u202e", "one two  [31m  "),
        ("naïve 🙂", "naïve 🙂"),
    ],
)
async def test_reasons_are_cut_and_cleaned_for_record_and_client(reason: str, kept: str) -> None:
    played = await play(EVENTS, active(on_text=lambda text, call: block(reason)))
    assert played.decisions[0].reason == kept
    assert kept.rstrip(".") in played.texts[0]
    assert len(played.texts[0]) < LONGEST_REASON + 200


async def test_score_and_evidence_go_on_record_as_they_were() -> None:
    def judge(text: object, call: Call) -> Verdict:
        call.state.setdefault("seen", []).append(1)
        return allow("fine", score=1, evidence=call.state)

    played = await play(answer(Text("a"), Text("b")), active(on_text=judge))
    assert [(made.score, made.evidence) for made in played.decisions] == [(1, {"seen": [1]}), (1, {"seen": [1, 1]})]


async def test_decisions_say_when_and_how_long() -> None:
    played = await play(EVENTS, active(on_text=lambda text, call: allow(), on_tool_call=lambda t, call: allow()))
    times = [made.at for made in played.decisions]
    assert times == sorted(times)
    assert all(made.at > 0 and made.ms >= 0 for made in played.decisions)
    assert {(made.policy, made.version, made.mode) for made in played.decisions} == {("guard", 1, "enforce")}


async def test_notes_reach_the_record_and_state_belongs_to_one_policy_and_call() -> None:
    notes: list[tuple[str, str, float | None]] = []
    states: list[dict[str, Any]] = []

    def noting(text: object, call: Call) -> Verdict:
        call.note("judge", "asked", 0.5)
        states.append(call.state)
        return allow()

    call = Call(id="call_1", on_note=lambda kind, text, value: notes.append((kind, text, value)))
    executor = PolicyExecutor([active("a", on_text=noting), active("b", on_text=noting)], call, print, began=0.0)
    async for _ in through(executor, Source([answer(Text("a"))]).stream()):
        pass
    assert notes == [("judge", "asked", 0.5)] * 2
    assert states[0] is not states[1]
    assert call.state == {}


async def test_the_end_is_told_to_every_policy_though_one_fails() -> None:
    told: list[tuple[str, str]] = []

    def telling(name: str) -> Any:
        return lambda call, outcome: told.append((name, outcome))

    played = prepared(
        active("a", on_end=telling("a")),
        active("b", on_end=lambda call, outcome: 1 / 0),
        active("c", on_end=hanging, deadline=0.01, on_failure="open"),
        active("d", on_end=telling("d")),
        active("e", on_text=lambda text, call: allow()),
    )
    await played.executor.end("finished")
    assert told == [("a", "finished"), ("d", "finished")]
    assert [(made.policy, made.action, made.reason) for made in played.decisions] == [
        ("b", "failed_closed", "raised ZeroDivisionError"),
        ("c", "failed_open", "did not finish within 0.01 s"),
    ]


async def _idle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)
