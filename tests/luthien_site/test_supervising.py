"""A child that is kept running: real processes, that do as little as can be."""

from __future__ import annotations

import subprocess
import sys
import threading

from luthien_site.supervising import kept_running

SLEEPS = "import time; time.sleep(600)"


class Children:
    """Begins one process after the other, the last of which stays; `all_there` is set when it is begun."""

    def __init__(self, *codes: str) -> None:
        self.begun: list[subprocess.Popen[bytes]] = []
        self.all_there = threading.Event()
        self._codes = codes

    def begin(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, "-c", self._codes[len(self.begun)]])
        self.begun.append(process)
        if len(self.begun) == len(self._codes):
            self.all_there.set()
        return process


def test_a_child_that_dies_is_begun_again_and_ended_at_the_end() -> None:
    children = Children("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "raise SystemExit(1)", SLEEPS)
    with kept_running(children.begin, pause=0.01, patience=20):
        assert children.all_there.wait(60)
        assert children.begun[-1].poll() is None
    assert [process.returncode for process in children.begun] == [-9, 1, -15]


def test_what_cannot_be_begun_is_tried_again() -> None:
    children, fails = Children("", SLEEPS), iter([False, True, True, False])

    def begin() -> subprocess.Popen[bytes]:
        if next(fails):
            raise BlockingIOError("no more processes")
        return children.begin()

    with kept_running(begin, pause=0.01, patience=20):
        assert children.all_there.wait(60)
    assert [process.returncode for process in children.begun] == [0, -15]


def test_what_died_while_everything_ends_is_not_begun_again() -> None:
    children = Children("", "")
    with kept_running(children.begin, pause=600, patience=20):
        children.begun[0].wait()
    assert len(children.begun) == 1
