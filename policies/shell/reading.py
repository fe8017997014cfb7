"""Reads whole scripts: the only way in for policies. Pure, but for the process that reads what is long."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from typing import TypeVar, TypeVarTuple

from .effects import Effect, Oddity
from .limits import TooMuch
from .places import START, Place
from .script import Script
from .words import MARKERS

LONG = 16 * 1024
"""Characters. Reading more would keep the event loop busy; the parser does not let go of the interpreter's lock."""
TOO_LONG = 1024 * 1024
"""Characters. Nobody reads more."""

Arguments = TypeVarTuple("Arguments")
Found = TypeVar("Found")


def read(script: str, start: Place = START) -> list[Effect]:
    """What `script`, started at `start`, may do, in order. Where it cannot be read to its end, an Oddity says so."""
    if len(script) > TOO_LONG:
        return [Oddity("unparsable")]
    reader = Script(start)
    if any(marker in script for marker in MARKERS):
        reader.tell(Oddity("unparsable"))
    try:
        reader.run(script)
    except TooMuch:
        reader.tell(Oddity("unparsable", "a shell"))
    except (RecursionError, UnicodeEncodeError):
        reader.tell(Oddity("unparsable"))
    return reader.effects


async def apart(judge: Callable[[*Arguments], Found], size: int, *args: *Arguments) -> Found:
    """`judge(*args)`, in a process of its own if it reads many characters. All of it has to be picklable."""
    if size <= LONG or size > TOO_LONG:
        return judge(*args)
    try:
        return await asyncio.get_running_loop().run_in_executor(_pool(), judge, *args)
    except BrokenProcessPool:
        # The next one gets a fresh process; this one is not judged, and the policy fails.
        _pool.cache_clear()
        raise


@cache
def _pool() -> ProcessPoolExecutor:
    # Not forked: the parent has threads, and locks that they hold.
    return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))
