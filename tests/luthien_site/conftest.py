"""For benches and proofs in the tests."""

import asyncio
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from luthien_site.bench import postgres, processes
from luthien_site.bench.gateway import Gateway
from luthien_site.bench.processes import Child, DidNotStart
from tests.plugins import forked
from tests.plugins.forked import ROOT
from tests.plugins.live import migrated_sqlite
from tests.plugins.servers import free_port


@pytest.fixture
def forked_children(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forks the servers and commands of a bench or a proof instead of starting each from nothing."""
    migrated_sqlite()  # before a bench binds this process, and all that it starts from then on, to one core

    def spawn(child: Child, command: Sequence[str | Path], env: Mapping[str, str], cwd: Path) -> None:
        # A worker is told its parent, to leave with it.
        me, parent = str(os.getpid()), str(forked.nursery().process.pid)
        arguments = [parent if part == me else part for part in command[1:]]
        with child.log.open("ab") as log:
            process = forked.start(*arguments, env=env, stdout=log, stderr=log, cwd=cwd)
        if child.core is not None:
            os.sched_setaffinity(process.pid, {child.core})
        monkeypatch.setattr(child, "_process", process)

    async def manage(gateway: Gateway, *arguments: str) -> None:
        if arguments[0] == "migrate" and not gateway.setting.database_url:
            shutil.copyfile(migrated_sqlite(), gateway.setting.folder / "luthien.sqlite3")
            return
        done = await asyncio.to_thread(forked.run, ROOT / "manage.py", *arguments, env=gateway.setting.env)
        if done.returncode:
            raise DidNotStart(done.stdout + done.stderr)

    for module in (processes, postgres):
        monkeypatch.setattr(module, "free_port", free_port)
    monkeypatch.setattr(Child, "spawn", spawn)
    monkeypatch.setattr(Gateway, "manage", manage)
