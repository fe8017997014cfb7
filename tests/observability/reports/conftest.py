"""A record with calls of two teams and audit events, sealed, and reports of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from observability import audit
from observability.recording.recorder import CallRecorder
from observability.recording.writer import Writer
from observability.reports import asking, building
from observability.reports.folder import path_of
from observability.reports.models import Report
from observability.sealing.keys import public_key
from observability.verification.report import ReportCheck, verify
from policies.verdicts import Decision
from tests.observability.conftest import MakeWriter, make_facts
from tests.observability.verification.conftest import calls, change_policies, seal

__all__ = ["seal"]

FORMULA = "=cmd|' /C calc'!A0"
BLOCK = Decision("no-shell", 1, "enforce", "on_tool_call", "t", "block", FORMULA, evidence={"said": "words"})


@pytest.fixture(autouse=True)
def data_dir(settings: Any, tmp_path: Path) -> Path:
    settings.LUTHIEN_DATA_DIR = tmp_path / "data"
    return tmp_path / "data"


@pytest.fixture
def recorded(make_writer: MakeWriter, seal: Callable[[], None]) -> Writer:
    """Five closed calls of payments (one with a late verdict), one of research, an open one; changes of policies."""
    writer = make_writer()
    seal()
    asyncio.run(calls(writer))
    asyncio.run(of_research(writer))
    change_policies()
    audit.record(actor="ada", action="call.viewed", subject="call_1", detail={"shown": "page"})
    writer.stop(60)
    seal()
    return writer


async def of_research(writer: Writer) -> None:
    call = CallRecorder(make_facts(id="call_research", team="research", session="+SUM(A1)"), writer)
    call.open()
    call.decide(BLOCK)
    call.original(b"\xff what the model said")
    await call.close("blocked", 200)


def asked(kind: str = "calls", **options: Any) -> Report:
    """A report of the last day, queued, in all formats, for somebody who may see everything but for `options`."""
    given: dict[str, Any] = {
        "since": timezone.now() - timedelta(days=1),
        "until": timezone.now() + timedelta(minutes=1),
        "filters": {},
        "formats": ["csv", "xlsx", "jsonl", "html"],
        "contents": False,
        "keep": timedelta(days=30),
        "teams": None,
        "seen_teams": None,
        "actor": "ada",
    }
    return asking.ask_for(kind, **(given | options))


def built(kind: str = "calls", **options: Any) -> Report:
    """The same, and whole."""
    report = asked(kind, **options)
    building.build(report.pk)
    report = Report.objects.select_related("job").get(pk=report.pk)
    assert report.job.state == "done", report.job.message
    return report


def checked(raw: bytes) -> ReportCheck:
    """What verification finds in an archive."""
    return verify(BytesIO(raw), [public_key()])


def archive(report: Report) -> bytes:
    return path_of(report).read_bytes()


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The jobs that were handed to a worker, which is not there."""
    sent: list[Any] = []
    monkeypatch.setattr(
        "observability.jobs.jobs.current_app.send_task", lambda *args, **options: sent.append((args, options))
    )
    return sent


NOW = datetime(2026, 1, 2, 3, 4, 5, 678_000, UTC)
