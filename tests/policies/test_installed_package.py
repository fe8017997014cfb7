"""A package of somebody else's, installed from its wheel, adds a policy that real calls are judged by."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import yaml

from tests.plugins.forked import ROOT
from tests.plugins.live import StartLuthien
from tests.policies.packages import wheels

HOUSE_RULES = Path(__file__).parent / "packages" / "house_rules"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the wheel was installed into."""
    folder = tmp_path_factory.mktemp("installed")
    target = folder / "site"
    wheels.install(wheels.build(HOUSE_RULES, folder), target)
    return target


def catalogue(path: str) -> dict[str, list[str]]:
    """What a fresh process finds, with `path` to look for packages in."""
    program = (
        "import json; from policies import registry; "
        "print(json.dumps({'names': sorted(registry.catalogue()), 'broken': sorted(registry.broken())}))"
    )
    env = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=env, capture_output=True, text=True, check=True
    )
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def test_a_fresh_process_has_the_policy_in_its_catalogue_and_only_where_it_is_installed(installed: Path) -> None:
    with_it, without = catalogue(str(installed)), catalogue("")
    assert set(with_it["names"]) - set(without["names"]) == {"mail_in_the_house"}
    assert with_it["broken"] == []


def test_nothing_of_its_source_is_used_but_what_was_installed(installed: Path) -> None:
    assert {path.name for path in installed.iterdir()} == {"house_rules.py", "house_rules-1.2.dist-info"} | {
        path.name for path in installed.glob("__pycache__")
    }


def test_a_real_server_judges_by_it(installed: Path, live_luthien: StartLuthien) -> None:
    server = live_luthien(env={"PYTHONPATH": str(installed)}, start=False)
    key = server.manage("create_key", "agent").strip()
    file = server.data_dir / "mail.yaml"
    mail = {"name": "mail", "policy": "mail_in_the_house", "config": {"domains": ["example.org"]}}
    demo = {"providers": {"demo": {"dialect": "demo"}}, "models": [{"match": "demo/*", "provider": "demo"}]}
    file.write_text(yaml.safe_dump({**demo, "policies": [mail]}))
    server.manage("apply_config", str(file))
    server.start()
    script = 'tool send_mail {"to": "team@example.org"}\ntool send_mail {"to": "team@example.com"}'
    body = {"model": "demo/script", "max_tokens": 900, "messages": [{"role": "user", "content": script}]}
    got = httpx.post(f"{server.url}/v1/messages", json=body, headers={"x-api-key": key}, timeout=20)
    assert got.headers["x-luthien-policies"] == "mail@1"
    sent = [block["input"]["to"] for block in got.json()["content"] if block["type"] == "tool_use"]
    assert sent == ["team@example.org"]
    assert "mail to a domain that is not listed" in got.text
