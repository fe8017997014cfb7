"""A real gateway for a benchmark or a proof: a process, a database and a data directory of its own."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any

import yaml

from luthien_site.bench.processes import Child, DidNotStart
from luthien_site.bench.workload import Dialect

ROOT = Path(__file__).resolve().parents[2]
MODEL = "bench"
UPPERCASE: dict[str, Any] = {"name": "uppercase", "policy": "uppercase", "config": {}, "mode": "enforce"}
SERVER: dict[str, Any] = {
    "loop": "uvloop",
    "http": "httptools",
    "lifespan": "on",
    "log_config": None,
    "access_log": False,
    "server_header": False,
    "ws_per_message_deflate": False,
}
"""Of uvicorn, as `manage.py up` has it."""
_PROGRAM = (
    "import json, sys, uvicorn\n"
    "uvicorn.run('luthien_site.asgi:application', host='127.0.0.1', port=int(sys.argv[1]), **json.loads(sys.argv[2]))"
)


_READERS: tuple[dict[str, Any], ...] = (
    UPPERCASE,
    {"policy": "string_replacement", "config": {"rules": [{"find": "not there", "replace": "x"}]}},
    {"policy": "uppercase_nth_word", "config": {"n": 1}},
)


def stack(size: int) -> list[dict[str, Any]]:
    """So many policies in force, each of which reads every text event of an answer; together they make capitals."""
    return [
        {**policy, "name": f"policy-{place}", "mode": "enforce"} for place, policy in zip(range(size), cycle(_READERS))
    ]


@dataclass(frozen=True)
class Setting:
    """What a gateway is set up with. `database_url` is empty for SQLite in the data directory."""

    folder: Path
    provider_port: int
    dialect: Dialect = "openai"
    policies: Sequence[Mapping[str, Any]] = ()
    database_url: str = ""
    record: str = "blocking"
    core: int | None = None
    through_litellm: bool = False
    more: Mapping[str, str] = field(default_factory=dict)
    """Further variables of the environment."""
    key: str = field(default_factory=lambda: f"bench-{secrets.token_hex(16)}")

    @property
    def env(self) -> dict[str, str]:
        """The environment of the gateway and of its commands; nothing of the user's settings is in it."""
        ours = ("LUTHIEN_", "DATABASE_URL", "REDIS_URL", "OTEL_", "ANTHROPIC_", "OPENAI_")
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith(ours)},
            "LUTHIEN_DATA_DIR": str(self.folder),
            "LUTHIEN_RECORD": self.record,
            "DATABASE_URL": self.database_url,
            "BENCH_KEY": self.key,
            **self.more,
        }

    def config(self) -> str:
        """The YAML that `apply_config` takes."""
        provider = {"dialect": self.dialect, "base_url": self._base_url(), "api_key": "none"}
        if self.through_litellm:
            provider |= {"dialect": "litellm", "litellm_provider": self.dialect}
        return yaml.safe_dump(
            {
                "providers": {"bench": provider},
                "models": [{"match": MODEL, "provider": "bench", "model": "demo/script"}],
                "keys": [{"name": "bench", "team": "bench", "key": "${BENCH_KEY}"}],
                "policies": [dict(policy) for policy in self.policies],
            }
        )

    def _base_url(self) -> str:
        # As in the two providers' own documentation, only OpenAI's ends in /v1.
        return f"http://127.0.0.1:{self.provider_port}" + ("/v1" if self.dialect == "openai" else "")


class Gateway(Child):
    """One worker of the gateway as users run it, on the set-up of `setting`."""

    def __init__(self, name: str, setting: Setting) -> None:
        setting.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        super().__init__(name, setting.folder / "gateway.log", setting.core)
        self.setting = setting

    async def prepare(self) -> None:
        """Migrates the database and applies the configuration. Raises DidNotStart."""
        file = self.setting.folder / "bench.yaml"
        file.write_text(self.setting.config(), encoding="utf-8")
        await self.manage("migrate", "--verbosity", "0")
        await self.manage("apply_config", str(file))

    async def start(self) -> None:
        """Returns when it serves. Raises DidNotStart."""
        env = {**self.setting.env, "LUTHIEN_URL": f"http://127.0.0.1:{self.port}"}
        self.spawn([sys.executable, "-c", _PROGRAM, str(self.port), json.dumps(SERVER)], env, ROOT)
        await self.ready("/ready")

    async def manage(self, *arguments: str) -> None:
        """A command of manage.py on the same set-up. Raises DidNotStart with the end of its output."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(ROOT / "manage.py"), *arguments),
            cwd=ROOT,
            env=self.setting.env,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        if process.returncode:
            raise DidNotStart(f"manage.py {arguments[0]} failed:\n{output.decode(errors='replace')[-2000:]}")
