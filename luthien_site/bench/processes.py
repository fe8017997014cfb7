"""Child processes of a benchmark or a proof: bound to a core, measured through /proc, never left behind."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

START_SECONDS = 90.0
STOP_SECONDS = 10.0
_PR_SET_PDEATHSIG = 1
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_libc = ctypes.CDLL(None)


class DidNotStart(Exception):
    """A process that was needed is not there; the message says why, for the person at the terminal."""


class Child:
    """A server in a process of its own, listening on `port` of 127.0.0.1. Its output goes to the file `log`."""

    def __init__(self, name: str, log: Path, core: int | None = None) -> None:
        self.name = name
        self.log = log
        self.core = core
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def spawn(self, command: Sequence[str | Path], env: Mapping[str, str], cwd: Path) -> None:
        """Starts it; `ready` tells when it serves."""
        core = self.core

        def before_exec() -> None:
            die_with_parent()
            if core is not None:
                os.sched_setaffinity(0, {core})

        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [str(part) for part in command],
                cwd=cwd,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=before_exec,
            )

    async def ready(self, path: str) -> None:
        """Returns when GET `path` answers 200. Raises DidNotStart with the end of the log."""
        deadline = time.monotonic() + START_SECONDS
        while await status_of(self.port, path) != 200:
            if not self.alive or time.monotonic() > deadline:
                raise DidNotStart(f"{self.name} did not start; {self.log} ends so:\n{self._last_lines()}")
            await asyncio.sleep(0.02)

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def cpu(self) -> float:
        """Seconds of processor time taken so far, in user and system mode, with all threads and descendants."""
        return sum(_cpu(pid) for pid in family(self.pid))

    def memory(self) -> int:
        """Resident bytes of the process and its descendants."""
        return sum(_resident(pid) for pid in family(self.pid))

    def halt(self) -> None:
        """Lets it stand still, with its descendants, until `go_on`."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        for pid in family(self.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def kill(self) -> None:
        """Ends it by SIGKILL, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        """Ends it in good order, and by force where that takes too long."""
        if not self.alive:
            return
        assert self._process is not None
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def _last_lines(self) -> str:
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])


def die_with_parent() -> None:
    """Asks Linux to kill this process when the one that started it dies, whatever it dies of."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def status_of(port: int, path: str) -> int:
    """The status of GET `path` on 127.0.0.1; 0 if nobody answers."""
    try:
        async with asyncio.timeout(5):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n".encode())
                line = await reader.readline()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return 0
    parts = line.split()
    return int(parts[1]) if len(parts) > 1 else 0


def cores() -> tuple[int, int | None]:
    """The core for generator and provider, and the gateway's own; the second is None where there is but one."""
    available = sorted(os.sched_getaffinity(0))
    return (available[1], available[0]) if len(available) > 1 else (available[0], None)


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Binds this process, and the children that it starts meanwhile, to one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def family(pid: int) -> list[int]:
    """`pid` and its living descendants."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal() and (fields := _stat(int(folder.name))):
            children.setdefault(int(fields[1]), []).append(int(folder.name))
    found = [pid]
    for parent in found:
        found.extend(children.get(parent, ()))
    return found


def _cpu(pid: int) -> float:
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / _TICKS if fields else 0.0


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * _PAGE
    except (OSError, IndexError):
        return 0


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on (the third of proc(5)); empty if the process is gone."""
    try:
        # A program's name may hold anything, also a closing bracket.
        return Path(f"/proc/{pid}/stat").read_text(encoding="latin-1").rpartition(")")[2].split()
    except OSError:
        return []
