"""Clients are started through the gateway; small programs stand in for them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.core.management import CommandError
from pytest_django.fixtures import Settings

from gateway import services
from gateway.models import ApiKey
from luthien_site import launching
from luthien_site.management.commands.claude import Command as Claude
from tests.plugins.forked import ROOT
from tests.plugins.live import LiveLuthien, StartLuthien
from tests.plugins.servers import free_port

STAND_IN = f"""#!{sys.executable}
import json, os, sys, time
seen = {{"arguments": sys.argv[1:], "environment": dict(os.environ), "cwd": os.getcwd(), "pid": os.getpid()}}
with open(os.environ["TOLD"] + ".part", "w") as file:
    json.dump(seen, file)
os.rename(os.environ["TOLD"] + ".part", os.environ["TOLD"])
if "wait" in sys.argv:
    time.sleep(60)
sys.exit(7)
"""


@pytest.fixture
def bin(tmp_path: Path) -> Path:
    """A folder for PATH with a stand-in for each client."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("claude", "codex"):
        (folder / name).write_text(STAND_IN)
        (folder / name).chmod(0o755)
    return folder


def command(*arguments: str) -> list[str]:
    return [sys.executable, str(ROOT / "manage.py"), *arguments]


def environment(server: LiveLuthien, bin: Path, **more: str) -> dict[str, str]:
    return {**server.env, "PATH": str(bin), "TOLD": str(bin / "told"), **more}


def launch(server: LiveLuthien, bin: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments), env=environment(server, bin, **more), cwd=bin, capture_output=True, text=True, timeout=300
    )


def opens(server: LiveLuthien, key: str) -> bool:
    headers = {"authorization": f"Bearer {key}"}
    return httpx.get(f"{server.url}/v1/models", headers=headers, timeout=60).status_code == 200


def told(bin: Path) -> Any:
    return json.loads((bin / "told").read_text())


def test_claude_code_starts_with_the_gateways_address_and_a_key_that_works(
    live_luthien: StartLuthien, bin: Path
) -> None:
    server = live_luthien()
    secrets = {"LUTHIEN_ADMIN_PASSWORD": "a secret", "ANTHROPIC_API_KEY": "sk-of-the-user"}
    done = launch(server, bin, "claude", "-p", "--version", "--settings", "x y", **secrets)
    assert done.returncode == 7
    first = told(bin)
    assert first["arguments"] == ["-p", "--version", "--settings", "x y"]
    assert first["cwd"] == str(bin)
    given = first["environment"]
    assert given["ANTHROPIC_BASE_URL"] == server.url
    assert not {"ANTHROPIC_API_KEY", "LUTHIEN_ADMIN_PASSWORD", "DJANGO_SETTINGS_MODULE"} & set(given)
    key = given["ANTHROPIC_AUTH_TOKEN"]
    assert opens(server, key)
    assert (server.data_dir / "clients" / "claude.key").stat().st_mode & 0o777 == 0o600
    launch(server, bin, "claude")
    assert told(bin)["environment"]["ANTHROPIC_AUTH_TOKEN"] == key
    launch(server, bin, "claude", LUTHIEN_API_KEY="one-of-their-own")
    assert told(bin)["environment"]["ANTHROPIC_AUTH_TOKEN"] == "one-of-their-own"


def test_codex_starts_with_a_provider_described_on_its_command_line(live_luthien: StartLuthien, bin: Path) -> None:
    server = live_luthien()
    assert launch(server, bin, "codex", "exec", "say hi").returncode == 7
    *options, last, prompt = told(bin)["arguments"]
    assert (last, prompt) == ("exec", "say hi")
    assert options[::2] == ["-c"] * 5
    config = tomllib.loads("\n".join(options[1::2]))
    provider = config["model_providers"][config["model_provider"]]
    assert (provider["base_url"], provider["wire_api"]) == (f"{server.url}/v1", "responses")
    key = told(bin)["environment"][provider["env_key"]]
    assert opens(server, key)


def test_in_passthrough_clients_keep_their_own_credential(live_luthien: StartLuthien, bin: Path) -> None:
    server = live_luthien(env={"LUTHIEN_AUTH": "passthrough"})
    launch(server, bin, "claude", ANTHROPIC_API_KEY="sk-of-the-user")
    assert told(bin)["environment"]["ANTHROPIC_API_KEY"] == "sk-of-the-user"
    assert "ANTHROPIC_AUTH_TOKEN" not in told(bin)["environment"]
    launch(server, bin, "codex", OPENAI_API_KEY="sk-of-the-user")
    assert 'model_providers.luthien.env_key="OPENAI_API_KEY"' in told(bin)["arguments"]
    done = launch(server, bin, "codex", OPENAI_API_KEY="")
    assert done.returncode == 1
    assert "set OPENAI_API_KEY" in done.stderr


def test_what_is_missing_is_said_in_a_sentence(live_luthien: StartLuthien, bin: Path, tmp_path: Path) -> None:
    server = live_luthien(start=False)
    done = launch(server, bin, "claude")
    assert done.returncode == 1
    assert done.stderr.strip() == (
        f"No gateway answers at {server.url}: start it with `python3 manage.py up`, or set LUTHIEN_URL to where it is."
    )
    done = launch(server, tmp_path, "codex")
    assert done.returncode == 1
    assert done.stderr.startswith("Codex is not installed: there is no `codex` on PATH.")
    assert "Traceback" not in done.stderr


def test_signals_reach_the_client_itself(live_luthien: StartLuthien, bin: Path) -> None:
    running = subprocess.Popen(command("claude", "wait"), env=environment(live_luthien(), bin))
    try:
        deadline = time.monotonic() + 60
        while not (bin / "told").exists():
            assert time.monotonic() < deadline and running.poll() is None
        assert told(bin)["pid"] == running.pid
        running.send_signal(signal.SIGTERM)
        assert running.wait(60) == -signal.SIGTERM
    finally:
        running.kill()


@pytest.mark.django_db
def test_a_key_that_was_revoked_is_made_anew(tmp_path: Path) -> None:
    first = launching.kept_key("codex", tmp_path / "clients")
    assert launching.kept_key("codex", tmp_path / "clients") == first
    services.revoke_key(ApiKey.objects.get(), actor="ann")
    second = launching.kept_key("codex", tmp_path / "clients")
    assert second != first
    assert launching.kept_key("codex", tmp_path / "clients") == second


def test_an_address_that_is_none_is_no_gateway() -> None:
    for url in ("not a url", f"http://127.0.0.1:{free_port()}"):
        with pytest.raises(CommandError, match="No gateway answers"):
            launching.require_gateway(url)


def test_where_no_key_can_be_kept_one_has_to_be_given(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launching, "kept_key", refuses)
    settings.LUTHIEN_DATA_DIR = tmp_path
    with pytest.raises(CommandError, match="set LUTHIEN_API_KEY"):
        Claude().key()


def refuses(*arguments: object) -> str:
    raise PermissionError(os.strerror(13))
