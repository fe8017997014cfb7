"""`manage.py up` as a user meets it: a real process tree."""

import http.client
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import psutil
import pytest

from tests.plugins.forked import ROOT
from tests.plugins.live import StartLuthien
from tests.plugins.servers import free_port

Up = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def up(live_luthien: StartLuthien) -> Iterator[Up]:
    """Starts `manage.py up` with its own data; ends what is left of its process tree with the test."""
    server = live_luthien(database="sqlite", start=False)
    started: list[subprocess.Popen[str]] = []

    def start(port: int) -> subprocess.Popen[str]:
        environment = {**server.env, "LUTHIEN_URL": ""}
        with (server.data_dir / "up.log").open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "manage.py", "up", "--port", str(port)],
                cwd=ROOT,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def introduction(process: "subprocess.Popen[str]") -> str:
    """What `up` prints before it serves."""
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("Ctrl-C"):
            break
    return "".join(lines)


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    with suppress(OSError):
        connection.request("GET", "/admin/login/")
        return connection.getresponse().status == 200
    return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_and_leaves_no_process_behind(up: Up, number: signal.Signals) -> None:
    port = free_port()
    process = up(port)
    said = introduction(process)
    assert f"http://127.0.0.1:{port}/" in said
    assert re.search(r"user admin, password \S{16,}", said)
    wait_until(lambda: answers(port))
    children = psutil.Process(process.pid).children(recursive=True)
    assert any("luthien_site.worker" in " ".join(child.cmdline()) for child in children)
    process.send_signal(number)
    assert process.wait(60) == 0
    assert psutil.wait_procs(children, timeout=60)[1] == []


def test_its_worker_dies_with_it_even_by_sigkill(up: Up) -> None:
    port = free_port()
    process = up(port)
    introduction(process)
    wait_until(lambda: answers(port))
    children = psutil.Process(process.pid).children(recursive=True)
    assert children
    process.kill()
    process.wait()
    assert psutil.wait_procs(children, timeout=60)[1] == []


def test_a_second_start_keeps_password_and_key(up: Up) -> None:
    port = free_port()
    first = up(port)
    introduction(first)
    wait_until(lambda: answers(port))
    first.send_signal(signal.SIGTERM)
    first.wait(60)
    said = introduction(up(port))
    assert "password as before" in said
    assert "API key            as before" in said
