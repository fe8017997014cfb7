"""The real Claude Code, through the gateway, to a provider that plays a script."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import Gateway, installed_client
from tests.plugins.forked import ROOT

pytestmark = pytest.mark.client

VERSION = "2.1.197"
QUIET = {
    "TERM": "dumb",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_TELEMETRY": "1",
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_ERROR_REPORTING": "1",
}
# One that its own provider's dialect reaches, and one that takes a translation.
both_models = pytest.mark.parametrize("model", ["claude-demo", "gpt-demo"])


def run(gateway: Gateway, key: str, prompt: str, home: Path, model: str) -> list[dict[str, Any]]:
    """The messages that Claude Code prints for one prompt; `model` also does what it asks smaller ones."""
    claude = installed_client("@anthropic-ai/claude-code-linux-x64", VERSION, "claude")
    environment = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(home),
        **QUIET,
        "ANTHROPIC_BASE_URL": gateway.url,
        "ANTHROPIC_AUTH_TOKEN": gateway.key(key),
        "ANTHROPIC_DEFAULT_HAIKU_MODEL": model,
    }
    command = [str(claude), "-p", prompt, "--model", model, "--output-format", "stream-json", "--verbose"]
    done = subprocess.run(
        [*command, "--allowedTools", "Bash"],
        env=environment,
        cwd=home,
        capture_output=True,
        text=True,
        timeout=300,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_launcher_starts_it_through_the_gateway(gateway: Gateway, tmp_path: Path) -> None:
    claude = installed_client("@anthropic-ai/claude-code-linux-x64", VERSION, "claude")
    environment = {**gateway.server.env, **QUIET, "PATH": f"{claude.parent}:/usr/bin:/bin", "HOME": str(tmp_path)}
    command = [sys.executable, str(ROOT / "manage.py"), "claude", "-p", "say Good day.", "--model", "claude-demo"]
    done = subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL
    )
    assert (done.returncode, done.stdout.strip()) == (0, "Good day."), done.stderr


@both_models
def test_a_turn_with_a_tool_call_completes(gateway: Gateway, tmp_path: Path, model: str) -> None:
    prompt = 'tool Bash {"command": "echo proof > made-by-the-tool", "description": "Leave a file"}\nsay All done.'
    messages = run(gateway, "guarded", prompt, tmp_path, model)
    assert (tmp_path / "made-by-the-tool").read_text() == "proof\n"
    assert messages[-1]["result"] == "All done."
    assert not messages[-1]["is_error"]


@both_models
def test_a_loop_of_several_turns_completes(gateway: Gateway, tmp_path: Path, model: str) -> None:
    steps = [
        'think I begin.\ntool Bash {"command": "echo one > steps", "description": "First"}',
        'say Next.\ntool Bash {"command": "echo two >> steps", "description": "Second"}',
        'tool Bash {"command": "echo three >> steps", "description": "Third"}',
    ]
    messages = run(gateway, "guarded", "\n".join([*steps, "say All three."]), tmp_path, model)
    assert (tmp_path / "steps").read_text().split() == ["one", "two", "three"]
    assert messages[-1]["result"] == "All three."
    assert messages[-1]["num_turns"] >= 4


@both_models
def test_a_blocked_tool_call_shows_its_notice_and_never_runs(gateway: Gateway, tmp_path: Path, model: str) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    prompt = f'tool Bash {{"command": "rm -rf {precious}", "description": "Clean up"}}\nsay All done.'
    messages = run(gateway, "guarded", prompt, tmp_path, model)
    assert precious.exists()
    assert "no-dangerous-commands" in messages[-1]["result"]
    assert f"{gateway.url}/why/call_" in messages[-1]["result"]
