"""A real worker is killed at every step of building a report: the report is finished, once."""

from __future__ import annotations

import json
import signal
import time
from io import BytesIO

from observability.verification.report import verify
from tests.plugins import forked
from tests.plugins.forked import Forked
from tests.plugins.live import LiveLuthien, StartLuthien

STEPS = (
    "before",
    "in the rows",
    "before packing",
    "before the rename",
    "after the rename",
    "after it was handed in",
)
ASK = """
from datetime import timedelta
from django.utils import timezone
from observability.reports import asking
from tests.console import seed
seed.fill(seed.ordinary)
now = timezone.now()
asking.ask_for(
    "calls", since=now - timedelta(days=1), until=now + timedelta(days=1), filters={}, formats=["csv", "xlsx"],
    contents=True, keep=timedelta(days=30), teams=None, seen_teams=None, actor="ada",
)
"""
TELL = """
import json
from observability.models import AuditEvent
from observability.reports.models import Report
from observability.sealing.keys import public_key
report = Report.objects.get()
made = AuditEvent.objects.filter(action="report.made").count()
print(json.dumps([report.job.state, report.job.attempts, report.file, made, public_key().hex()]))
"""


def worker(server: LiveLuthien, step: str) -> Forked:
    dying = ("-m", "tests.observability.reports.dying", step)
    return forked.worker(*dying, env=server.env, log=server.data_dir / "worker.log")


def told(server: LiveLuthien) -> list[object]:
    answer: list[object] = json.loads(server.manage("shell", "-v", "0", "-c", TELL))
    return answer


def test_a_worker_killed_at_every_step_leaves_a_report_that_is_finished_once(live_luthien: StartLuthien) -> None:
    server = live_luthien(start=False, env={"DJANGO_SETTINGS_MODULE": "luthien_site.settings"})
    server.manage("shell", "-v", "0", "-c", ASK)
    for step in STEPS:
        assert worker(server, step).wait(120) == -signal.SIGKILL, step
    last = worker(server, "never")
    try:
        deadline = time.monotonic() + 60
        while (found := told(server))[0] != "done":
            assert time.monotonic() < deadline, found
    finally:
        last.send_signal(signal.SIGTERM)
        last.wait(120)
    state, attempts, file, made, key = found
    # The attempt that handed it in is the one before the last, which only said that it is done.
    assert (state, attempts, file, made) == ("done", len(STEPS) + 1, f"1-{len(STEPS)}.zip", 1)
    folder = server.data_dir / "reports"
    assert [path.name for path in folder.iterdir()] == [file]
    assert oct((folder / str(file)).stat().st_mode & 0o777) == "0o600"
    check = verify(BytesIO((folder / str(file)).read_bytes()), [bytes.fromhex(str(key))])
    assert (check.findings, check.calls) == ([], 2)
