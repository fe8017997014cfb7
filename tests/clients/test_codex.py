"""The real Codex, through the gateway, to a provider that plays a script."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import Gateway, installed_client

pytestmark = pytest.mark.client

VERSION = "0.169.0"
BINARY = "../codex-linux-x64/vendor/x86_64-unknown-linux-musl/bin/codex"
CONFIG = """
model = "{model}"
model_provider = "luthien"
[model_providers.luthien]
name = "luthien"
base_url = "{url}/v1"
env_key = "LUTHIEN_KEY"
wire_api = "responses"
"""


both_models = pytest.mark.parametrize("model", ["gpt-demo", "claude-demo"], ids=["own dialect", "translated"])


def run(gateway: Gateway, key: str, prompt: str, home: Path, model: str) -> list[dict[str, Any]]:
    """The items that Codex tells of one prompt."""
    codex = installed_client("@openai/codex", VERSION, BINARY)
    (home / ".codex").mkdir()
    (home / ".codex" / "config.toml").write_text(CONFIG.format(model=model, url=gateway.url))
    options = ["--json", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox"]
    done = subprocess.run(
        [str(codex), "exec", *options, prompt],
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(home), "LUTHIEN_KEY": gateway.key(key)},
        cwd=home,
        capture_output=True,
        text=True,
        timeout=300,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def said(events: list[dict[str, Any]]) -> list[str]:
    """What the model said to the user."""
    items = [event["item"] for event in events if event["type"] == "item.completed"]
    return [item["text"] for item in items if item["type"] == "agent_message"]


@both_models
def test_a_loop_of_several_turns_completes(gateway: Gateway, tmp_path: Path, model: str) -> None:
    steps = [
        'say I begin.\ntool exec_command {"cmd": "echo one > steps"}',
        'think Go on.\ntool exec_command {"cmd": "echo two >> steps"}',
    ]
    events = run(gateway, "guarded", "\n".join([*steps, "say All done."]), tmp_path, model)
    assert (tmp_path / "steps").read_text().split() == ["one", "two"]
    assert said(events) == ["I begin.", "All done."]


@both_models
def test_a_blocked_tool_call_shows_its_notice_and_never_runs(gateway: Gateway, tmp_path: Path, model: str) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    prompt = f'tool exec_command {{"cmd": "rm -rf {precious}"}}\nsay All done.'
    (notice,) = said(run(gateway, "guarded", prompt, tmp_path, model))
    assert precious.exists()
    assert "no-dangerous-commands" in notice
    assert f"{gateway.url}/why/call_" in notice
