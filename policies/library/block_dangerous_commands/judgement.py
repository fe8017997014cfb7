"""Judges scripts, in a process of their own if they are long."""

from __future__ import annotations

import asyncio
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache

from .limits import Dangerous
from .rules import Settings
from .script import Script
from .words import MARKERS

LONG = 64 * 1024
"""Characters. Reading more would keep the event loop busy; the parser does not let go of the interpreter's lock."""
TOO_LONG = 1024 * 1024
"""Characters. Nobody reads more."""


def judge(script: str, settings: Settings) -> tuple[str, str] | None:
    """(category, program) of what `script` would destroy, or None."""
    danger = None
    try:
        if len(script) > TOO_LONG or any(marker in script for marker in MARKERS):
            raise Dangerous("unparsable command", "the shell")
        Script(settings).run(script)
    except Dangerous as found:
        danger = found
    except (RecursionError, UnicodeEncodeError):
        danger = Dangerous("unparsable command", "the shell")
    if danger is None or not settings.counts(danger.category):
        return None
    return danger.category, danger.program


async def judge_any(script: str, settings: Settings) -> tuple[str, str] | None:
    """`judge`, elsewhere if `script` is long."""
    if len(script) <= LONG or len(script) > TOO_LONG:
        return judge(script, settings)
    try:
        return await asyncio.get_running_loop().run_in_executor(_pool(), judge, script, settings)
    except BrokenProcessPool:
        # The next one gets a fresh process; this one is not judged, and the policy fails.
        _pool.cache_clear()
        raise


@cache
def _pool() -> ProcessPoolExecutor:
    # Not forked: the parent has threads, and locks that they hold.
    return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))
