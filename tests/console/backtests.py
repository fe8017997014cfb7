"""Backtests to be run, and calls for them, on the database of the settings in force."""

from __future__ import annotations

from typing import Any

import pytest
from celery import current_app

from gateway.console.backtest import results, running
from gateway.console.backtest.models import Backtest
from gateway.console.replay.lineup import Subject
from observability.recording.writer import Writer
from tests.console import seed


async def twenty(writer: Writer) -> None:
    """Calls that nobody touched, every fourth with a tool call."""
    for number in range(20):
        called = [seed.tool_use("Bash")] if number % 4 == 0 else []
        await seed.put_on_record(
            writer, f"call_{number:02}", seed.request("Hello"), seed.answer(seed.text("Hello."), *called)
        )


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The backtests that were handed to a worker, which is not there."""
    asked: list[int] = []
    monkeypatch.setattr(current_app, "send_task", lambda name, args, **_: asked.extend(args))
    return asked


def made(registered: str = "tool_filter", config: dict[str, Any] | None = None, **options: Any) -> Backtest:
    """A draft over all calls, queued, but for `options`."""
    subject = Subject(options.pop("policy", "draft"), 0, registered, {"deny": ["Bash"]} if config is None else config)
    asked: dict[str, Any] = {"filters": {}, "most": 100, "together": True, "judges": False, "teams": None}
    return running.ask_for(subject, **(asked | {"actor": "ada"} | options))


def done(backtest: Backtest) -> dict[str, dict[str, int]]:
    """Runs it, and says how many calls changed in which way."""
    running.run(backtest.pk)
    backtest.refresh_from_db()
    assert backtest.job.state == "done", backtest.job.message
    return {row.change: {"now": row.now, "then": row.then} for row in results.counted(backtest) if row.now or row.then}
