"""A real Luthien server: a process of its own, with a database and a data directory of its own."""

import atexit
import http.client
import json
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Protocol

import pytest

from tests.plugins import forked
from tests.plugins.forked import ROOT, Forked
from tests.plugins.servers import free_port
from tests.plugins.services import DATABASE, create_database, drop_database

START_DEADLINE = 60.0
STOP_DEADLINE = 40.0


class LiveLuthien:
    """A server on `url`; `env` is what it and its commands run with."""

    def __init__(self, data_dir: Path, env: Mapping[str, str]) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.data_dir = data_dir
        self.env = {**os.environ, "LUTHIEN_DATA_DIR": str(data_dir), "LUTHIEN_URL": self.url, **env}
        self.process: Forked | None = None

    def start(self) -> None:
        """Returns when the server is ready; raises RuntimeError with its log when it does not get there."""
        with self.log_path.open("ab") as log:
            self.process = forked.start(
                *("-m", "uvicorn", "luthien_site.asgi:application", "--no-access-log"),
                *("--host", "127.0.0.1", "--port", str(self.port), "--timeout-graceful-shutdown", "30"),
                env=self.env,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + START_DEADLINE
        while not self._ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server did not start:\n{self.log}")
            time.sleep(0.05)

    def stop(self) -> int:
        """Ends the server as Ctrl-C does and returns its exit code; streams may drain."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(STOP_DEADLINE)

    def kill(self) -> None:
        """Ends the server by SIGKILL, as a crash would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def restart(self) -> None:
        """Starts the server on the same port and data, after `stop`, `kill`, or while it runs."""
        if self.process is not None and self.process.poll() is None:
            self.stop()
        self.start()

    def manage(self, *arguments: str) -> str:
        """The standard output of `manage.py ARGUMENTS` on this server's data; raises CalledProcessError on failure."""
        return manage(self.env, *arguments)

    def apply_config(self, path: Path) -> None:
        """Returns once what the file says is in force, where the server runs."""
        revision = int(self.manage("apply_config", str(path)).split()[-1].rstrip("."))
        deadline = time.monotonic() + START_DEADLINE
        while self.process is not None and self.process.poll() is None and self._revision() < revision:
            assert time.monotonic() < deadline, f"revision {revision} does not come into force"
            time.sleep(0.05)

    @property
    def log_path(self) -> Path:
        return self.data_dir / "server.log"

    @property
    def log(self) -> str:
        """All that the server has printed so far."""
        return self.log_path.read_text(errors="replace")

    def _ready(self) -> bool:
        status = self._status("/ready")
        # A site without readiness still answers whether it is alive.
        return status == 200 or (status == 404 and self._status("/health") in (200, 404))

    def _revision(self) -> int:
        revision: int = json.loads(self._get("/ready")[1] or b"{}").get("revision", 0)
        return revision

    def _status(self, path: str) -> int:
        return self._get(path)[0]

    def _get(self, path: str) -> tuple[int, bytes]:
        """Status and body; 0 and nothing where the server does not answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except OSError:
            return 0, b""
        finally:
            connection.close()


class StartLuthien(Protocol):
    def __call__(self, *, database: str | None = None, env: Mapping[str, str] = ..., start: bool = True) -> LiveLuthien:
        """A migrated server on a fresh `database` ("postgres" or "sqlite"; by default the run's), ended with the test.

        `env` adds to its environment. With `start=False` it waits for `start()`.
        """


def manage(env: Mapping[str, str], *arguments: str) -> str:
    """The standard output of `manage.py ARGUMENTS` in the environment `env`."""
    done = forked.run(str(ROOT / "manage.py"), *arguments, env=env)
    done.check_returncode()
    return done.stdout


def migrated(database: str, folder: Path) -> str:
    """The DATABASE_URL of a new migrated database, copied from one that was migrated once."""
    if database == "postgres":
        return create_database(template=migrated_postgres())
    path = folder / "luthien.sqlite3"
    shutil.copyfile(migrated_sqlite(), path)
    return f"sqlite:///{path}"


@cache
def migrated_postgres() -> str:
    """The name of the template database."""
    url = create_database()
    manage({**os.environ, "DATABASE_URL": url}, "migrate", "--verbosity", "0")
    return url.rpartition("/")[2]


@cache
def migrated_sqlite() -> Path:
    """The path of the template file."""
    folder = Path(tempfile.mkdtemp(prefix="luthien-template-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = folder / "template.sqlite3"
    manage({**os.environ, "DATABASE_URL": f"sqlite:///{path}"}, "migrate", "--verbosity", "0")
    return path


@pytest.fixture
def live_luthien(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartLuthien]:
    """Starts real servers; each ends with the test."""
    with ExitStack() as cleanup:

        def make(
            *, database: str | None = None, env: Mapping[str, str] | None = None, start: bool = True
        ) -> LiveLuthien:
            kind = database or os.environ[DATABASE]
            folder = tmp_path_factory.mktemp("live")
            folder.chmod(0o700)
            url = migrated(kind, folder)
            if kind == "postgres":
                cleanup.callback(drop_database, url)
            server = LiveLuthien(folder, {"DATABASE_URL": url, "REDIS_URL": "", **(env or {})})
            cleanup.callback(end, server)
            if start:
                server.start()
            return server

        yield make


def end(server: LiveLuthien) -> None:
    """Kills the server if it still runs."""
    if server.process is not None and server.process.poll() is None:
        server.kill()
