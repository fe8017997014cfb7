"""Hooks that never wait are asked at once, and do no more harm that way than in a task of their own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextvars import ContextVar
from typing import Any

import pytest

from gateway.executor import PolicyExecutor
from gateway.executor.background import at_once, never_waits
from policies.active import ActivePolicy
from policies.base import Call, Policy
from policies.content import Request, Text
from policies.verdicts import Decision, Verdict, allow

from .playing import active, answer, play

MARK: ContextVar[str] = ContextVar("mark", default="unset")


async def straight(what: Any) -> Any:
    return what


async def with_a_function_that_waits(what: Any) -> Any:
    async def inner() -> Any:
        return await what

    return inner


async def waiting(what: Any) -> Any:
    return await what


async def waiting_in_a_comprehension(what: Any) -> Any:
    return [await each for each in what]


async def entering(what: Any) -> Any:
    async with what:
        return what


async def iterating(what: Any) -> Any:
    async for each in what:
        return each


async def generating(what: Any) -> AsyncIterator[Any]:
    yield what


def plain(what: Any) -> Any:
    return straight(what)


@pytest.mark.parametrize(
    ("function", "never"),
    [
        (straight, True),
        (with_a_function_that_waits, True),
        (waiting, False),
        (waiting_in_a_comprehension, False),
        (entering, False),
        (iterating, False),
        (generating, False),
        (plain, False),
    ],
)
def test_a_coroutine_never_waits_if_it_has_nothing_to_wait_for(function: Callable[..., Any], never: bool) -> None:
    assert never_waits(function.__code__) is never


class Straight(Policy):
    """Says what it saw of its surroundings."""

    async def on_text(self, text: Text, call: Call) -> Verdict:
        MARK.set("set by a hook")
        return allow(f"tasks: {len(asyncio.all_tasks())}, its own: {asyncio.current_task()}")


async def test_a_hook_that_never_waits_gets_no_task_and_keeps_its_context_to_itself() -> None:
    tasks = len(asyncio.all_tasks())
    played = await play(answer(Text("hello")), ActivePolicy("straight", 1, Straight()))
    assert [made.reason for made in played.decisions] == [f"tasks: {tasks}, its own: None"]
    assert MARK.get() == "unset"
    assert played.executor.held > 0


class Cancelling(Policy):
    """Tries to cancel whoever serves the call."""

    async def on_request(self, request: Request, call: Call) -> Verdict:
        task = asyncio.current_task()
        task.cancel()  # type: ignore[union-attr]
        return allow()


async def test_a_hook_that_never_waits_cannot_cancel_the_call() -> None:
    decisions: list[Decision] = []
    activation = ActivePolicy("cancelling", 1, Cancelling())
    executor = PolicyExecutor([activation], Call(), decisions.append, began=0.0)
    await executor.check(Request("model-1"))
    await asyncio.sleep(0)
    assert [made.action for made in decisions] == ["failed_closed"]
    assert asyncio.current_task() is not None


async def test_what_is_not_caught_is_raised_and_the_task_is_as_before() -> None:
    async def interrupting() -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        at_once(interrupting(), str)
    assert asyncio.current_task() is not None


def test_outside_of_a_task_it_works_as_well() -> None:
    loop = asyncio.new_event_loop()
    found: list[str] = []
    loop.call_soon(lambda: found.append(at_once(straight("x"), str).result()))
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.close()
    assert found == ["x"]


async def test_a_hook_that_waits_is_given_a_task() -> None:
    seen: list[bool] = []

    async def on_text(text: Text, call: Call) -> Verdict:
        await asyncio.sleep(0)
        seen.append(asyncio.current_task() is not None)
        return allow()

    await play(answer(Text("hello")), active(on_text=on_text))
    assert seen == [True]
