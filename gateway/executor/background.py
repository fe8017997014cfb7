"""Work beside the answer: tasks that are kept alive, and a hook that has only so much time."""

from __future__ import annotations

import asyncio
import dis
import inspect
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from functools import lru_cache
from types import CodeType
from typing import Any, TypeVar

T = TypeVar("T")
R = TypeVar("R")

_running: set[asyncio.Task[Any]] = set()


def spawn(work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Start `work` as a task. It is kept alive until it is over, for the event loop holds tasks only weakly."""
    task = asyncio.create_task(work)
    _running.add(task)
    task.add_done_callback(_running.discard)
    return task


@lru_cache(maxsize=1024)
def never_waits(code: CodeType) -> bool:
    """Whether a coroutine of this code runs from its beginning to its end without giving way to anybody."""
    is_coroutine = bool(code.co_flags & inspect.CO_COROUTINE)
    return is_coroutine and all(instruction.opname != "SEND" for instruction in dis.get_instructions(code))


def at_once(work: Coroutine[Any, Any, T], conclude: Callable[[T], R]) -> asyncio.Future[R]:
    """As `within`, for work that never waits: it is over when this returns, and cost no task and no timer.

    What it sets in its context stays its own, and it has no task: it could cancel no other than ours.
    """
    loop, ours = asyncio.get_running_loop(), asyncio.current_task()
    future: asyncio.Future[R] = loop.create_future()
    if ours is not None:
        asyncio.tasks._leave_task(loop, ours)
    try:
        copy_context().run(work.send, None)
    except StopIteration as over:
        future.set_result(conclude(over.value))
    finally:
        if ours is not None:
            asyncio.tasks._enter_task(loop, ours)
    return future


def within(seconds: float, work: Coroutine[Any, Any, T], conclude: Callable[[T | str], R]) -> asyncio.Future[R]:
    """The future of what `conclude` makes of the result of `work`, or of a sentence on how it failed to have one.

    Cancelling the future cancels `work`. Work that ignores its cancellation is left behind.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[R] = loop.create_future()
    task = spawn(work)

    def settle(result: Callable[[], T | str]) -> None:
        if not future.done():
            try:
                future.set_result(conclude(result()))
            except BaseException as error:
                future.set_exception(error)  # whoever waits must hear of it

    def done(_: asyncio.Task[T]) -> None:
        settle(lambda: "cancelled itself" if task.cancelled() else task.result())

    def late() -> None:
        if not task.done():
            settle(lambda: f"did not finish within {seconds:g} s")

    def let_go(_: asyncio.Future[R]) -> None:
        timer.cancel()
        task.cancel()

    timer = loop.call_later(seconds, late)
    task.add_done_callback(done)
    future.add_done_callback(let_go)
    return future
