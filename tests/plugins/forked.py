"""Starts processes of Python by tests.plugins.nursery: one nursery a test process, begun with the first."""

from __future__ import annotations

import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO

from tests.plugins.nursery import Order

ROOT = Path(__file__).resolve().parents[2]
_ordering = threading.Lock()


class Forked:
    """A process that the nursery forked, with subprocess.Popen's methods."""

    def __init__(self, pid: int, ended: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._ended = open(ended, "rb")  # noqa: SIM115 (open until it is read)

    def poll(self) -> int | None:
        return self._reap(0)

    def wait(self, timeout: float | None = None) -> int:
        code = self._reap(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _reap(self, seconds: float | None) -> int | None:
        if self.returncode is None:
            with selectors.DefaultSelector() as waiting:
                waiting.register(self._ended, selectors.EVENT_READ)
                if waiting.select(seconds):
                    # A nursery that died took the process with it and told no code.
                    self.returncode = int(self._ended.read() or -signal.SIGINT)
                    self._ended.close()
        return self.returncode


def start(
    *command: str | Path,
    env: Mapping[str, str],
    stdout: IO[bytes] | int | None = None,
    stderr: IO[bytes] | int | None = None,
    cwd: Path = ROOT,
) -> Forked:
    """A new process that does what `python COMMAND` does, reads nothing, and ends with the test run.

    What it prints goes to the open files that are given, or nowhere.
    """
    mine, its = os.pipe()
    order = Order([str(part) for part in command], str(cwd), dict(env))
    with Path(os.devnull).open("r+b", buffering=0) as nowhere, _ordering:
        files = [file if isinstance(file, int) else (file or nowhere).fileno() for file in (nowhere, stdout, stderr)]
        socket.send_fds(nursery().orders, [order.packed()], [*files, its])
        pid = nursery().orders.recv(32)
    os.close(its)
    if not pid:
        raise RuntimeError("The nursery of processes is gone.")
    return Forked(int(pid), mine)


def run(*command: str | Path, env: Mapping[str, str], cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Waits for `python COMMAND`, and gives what it printed."""
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        code = start(*command, env=env, stdout=stdout, stderr=stderr, cwd=cwd).wait()
        printed = [_text(file) for file in (stdout, stderr)]
    return subprocess.CompletedProcess([sys.executable, *map(str, command)], code, *printed)


def worker(*program: str, env: Mapping[str, str], log: Path) -> Forked:
    """The worker beside a server, as `manage.py up` starts it; or `python PROGRAM`, which is told the same parent."""
    command = program or ("-m", "luthien_site.worker")
    with log.open("ab") as file:
        return start(*command, str(nursery().process.pid), env=env, stdout=file, stderr=file)


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")


@dataclass(frozen=True)
class Nursery:
    """It ends when this process does, because the socket then closes."""

    orders: socket.socket
    process: subprocess.Popen[bytes]


@cache
def nursery() -> Nursery:
    """This process's."""
    return new_nursery()


def new_nursery() -> Nursery:
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with its:
        command = [sys.executable, "-m", "tests.plugins.nursery", str(its.fileno())]
        quiet = subprocess.DEVNULL
        return Nursery(ours, subprocess.Popen(command, cwd=ROOT, pass_fds=[its.fileno()], stdin=quiet, stdout=quiet))
