import sys
from pathlib import Path

import pytest
import yaml

from luthien_site.bench.gateway import UPPERCASE, Gateway, Setting, stack
from luthien_site.bench.processes import DidNotStart
from policies.registry import build


def test_the_configuration_names_provider_model_key_and_policies() -> None:
    setting = Setting(Path("unused"), 7000, "openai", [UPPERCASE])
    config = yaml.safe_load(setting.config())
    assert config["providers"]["bench"]["base_url"] == "http://127.0.0.1:7000/v1"
    assert config["models"][0]["provider"] == "bench"
    assert config["policies"][0]["policy"] == "uppercase"
    assert setting.key not in setting.config()
    anthropic = yaml.safe_load(Setting(Path("unused"), 7000, "anthropic").config())
    assert anthropic["providers"]["bench"]["base_url"] == "http://127.0.0.1:7000"


@pytest.mark.parametrize("size", [0, 1, 3, 10])
def test_a_stack_is_so_many_policies_of_different_names_that_each_read_live_text(size: int) -> None:
    policies = stack(size)
    assert len({policy["name"] for policy in policies}) == size
    assert all(build(policy["policy"], policy["config"]).overrides("on_text_delta") for policy in policies)


def test_nothing_of_the_users_settings_reaches_the_gateway(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUTHIEN_AUTH", "passthrough")
    monkeypatch.setenv("OPENAI_API_KEY", "a secret")
    env = Setting(Path("data"), 7000).env
    assert "OPENAI_API_KEY" not in env
    assert {name: value for name, value in env.items() if name.startswith("LUTHIEN_")} == {
        "LUTHIEN_DATA_DIR": "data",
        "LUTHIEN_RECORD": "blocking",
    }


async def test_a_set_up_that_fails_is_told_with_its_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = Gateway("the gateway", Setting(tmp_path, 7000))
    monkeypatch.setattr(sys, "executable", "/bin/echo")
    await gateway.manage("migrate")
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(DidNotStart, match=r"manage.py migrate failed"):
        await gateway.manage("migrate")
