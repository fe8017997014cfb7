"""docs/writing-policies.md: its code runs in order, its files are true, and it leaves no hook and no verdict out."""

from __future__ import annotations

import dataclasses
import inspect
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import get_args

import pytest

from gateway.config_file.document import read
from gateway.config_file.shape import understand
from policies import registry, testing, verdicts
from policies.base import HOOKS, Call, Policy
from policies.models import Terms

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/writing-policies.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def section(heading: str) -> str:
    (found,) = re.findall(rf"^## {heading}$(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


def test_its_code_runs_in_order_and_its_tests_pass(tmp_path: Path) -> None:
    file = tmp_path / "test_tutorial.py"
    file.write_text("\n\n".join(blocks("python")), encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\n")
    # As an author runs them: by themselves, with Luthien at hand and without its settings.
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:django", str(file)]
    done = subprocess.run(command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    tests = sum(len(re.findall(r"^(?:async )?def test_", block, re.MULTILINE)) for block in blocks("python"))
    assert tests == 9
    assert int(re.findall(r"(\d+) passed", done.stdout)[0]) >= tests


def test_its_package_names_a_class_that_it_wrote() -> None:
    (project,) = (tomllib.loads(block) for block in blocks("toml"))
    ((name, value),) = project["project"]["entry-points"][registry.GROUP].items()
    assert f"class {value.partition(':')[2]}(" in PAGE
    assert f"policy: {name}\n" in PAGE


def test_its_configuration_is_one() -> None:
    (file,) = blocks("yaml")
    (policy,) = understand(read(file, {})).policies
    assert (policy.policy, policy.mode) == ("mail_rules", "shadow")


def test_what_else_a_policy_may_override_stands_below_the_table() -> None:
    others = {name for name, _ in inspect.getmembers(Policy, inspect.isfunction)} - set(HOOKS) - {"__init__"}
    assert all(f"`{name}(" in section("Hooks") for name in others)


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_stands_in_the_table(hook: str) -> None:
    assert f"| `{hook}` |" in section("Hooks")


VERDICTS = [
    name
    for name, made in inspect.getmembers(verdicts, inspect.isfunction)
    if inspect.signature(made).return_annotation == "Verdict"
]


@pytest.mark.parametrize("name", VERDICTS)
def test_a_verdict_stands_in_the_table_with_what_it_takes(name: str) -> None:
    (row,) = re.findall(rf"^\| `{name}\((.*?)\)` \|", section("Verdicts"), re.MULTILINE)
    parameters = inspect.signature(getattr(verdicts, name)).parameters.values()
    named = {each.name for each in parameters if each.kind is inspect.Parameter.KEYWORD_ONLY}
    assert [part.partition("=")[0] for part in row.split(", ")] == [p.name for p in parameters if p.name not in named]
    assert all(f"`{each}`" in section("Verdicts") for each in named)


def test_every_action_is_that_of_a_verdict() -> None:
    assert set(VERDICTS) == set(get_args(verdicts.Action))


CALL = {field.name for field in dataclasses.fields(Call)} | {
    name for name, _ in inspect.getmembers(Call, inspect.isfunction) if not name.startswith("_")
}


# What begins with on_ is how the gateway fills in a method.
@pytest.mark.parametrize("name", sorted(name for name in CALL if not name.startswith("on_")))
def test_what_a_call_offers_stands_in_the_table(name: str) -> None:
    assert re.search(rf"`call\.{name}[`(]", section("What a hook knows of the call"))


@pytest.mark.parametrize("parameter", inspect.signature(Call.ask).parameters)
def test_what_a_question_takes_stands_in_the_table(parameter: str) -> None:
    (row,) = re.findall(r"^\| `call\.ask.*$", section("What a hook knows of the call"), re.MULTILINE)
    assert parameter == "self" or parameter in row


@pytest.mark.parametrize("term", [field.name for field in dataclasses.fields(Terms)])
def test_a_term_of_an_activation_stands_in_the_table(term: str) -> None:
    assert f"| `{term}` |" in section("Terms of an activation")


HELPERS = [
    name
    for name, made in inspect.getmembers(testing, inspect.isfunction)
    if made.__module__ == testing.__name__ and not name.startswith("_")
]


@pytest.mark.parametrize("name", HELPERS)
def test_what_helps_a_test_stands_in_the_table(name: str) -> None:
    assert f"`{name}(" in section("For tests")


def test_what_the_earlier_names_lead_to_is_there() -> None:
    hooks, policies = section("From the earlier Luthien").split("| policy there |")
    named = re.findall(r"^\| .* \| `(\w+)` \|$", hooks, re.MULTILINE)
    assert set(named) <= set(HOOKS) and len(named) == 9
    assert set(re.findall(r"^\| .* \| `(\w+)` \|$", policies, re.MULTILINE)) <= set(registry.catalogue())
