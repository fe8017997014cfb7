"""The worker that serves beside `manage.py up`, and its beat: real processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from tests.luthien_site.test_up import wait_until
from tests.plugins.forked import ROOT
from tests.plugins.live import StartLuthien


@pytest.fixture
def worker(live_luthien: StartLuthien) -> Iterator[psutil.Popen]:
    server = live_luthien(database="sqlite", start=False)
    with (server.data_dir / "worker.log").open("w") as log:
        process = psutil.Popen(
            [sys.executable, "-m", "luthien_site.worker", str(os.getpid())],
            cwd=ROOT,
            env=server.env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    yield process
    if process.is_running():
        process.kill()
        process.wait()


def test_beat_does_not_outlive_a_worker_that_is_killed(worker: psutil.Popen) -> None:
    wait_until(lambda: bool(worker.children()))
    (beat,) = worker.children()
    worker.kill()
    worker.wait()
    try:
        assert psutil.wait_procs([beat], timeout=60)[1] == []
    finally:
        if beat.is_running():
            beat.kill()
