from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from pydantic import ValidationError

from policies.library.argument_rules import LONG, ArgumentRules
from policies.testing import judge, tool_call


async def reason(rule: dict[str, Any], tool: str = "tool", **arguments: Any) -> str:
    """Why the call is blocked; empty if it is not."""
    policy = ArgumentRules(ArgumentRules.Config.model_validate({"rules": [rule]}))
    verdict = await judge(policy, tool_call(tool, **arguments))
    return verdict.reason if verdict.action == "block" else ""


@pytest.mark.parametrize(
    ("rule", "passes", "blocked"),
    [
        ({"path": "path", "allow": ["src/*"]}, "src/a\nb", "/src/a"),
        ({"path": "path", "deny": ["*.env"]}, "a.txt", "x/.env"),
        ({"path": "path", "allow": ["src/*"], "deny": ["*..*"]}, "src/a", "src/../a"),
        ({"path": "path", "allow": ["SRC/*"], "ignore_case": True}, "Src/a", "lib/a"),
        ({"path": "path", "allow": ["[a-z]+"], "regex": True}, "abc", "abc1"),
        ({"path": "path", "deny": ["(?s).*secret.*"], "regex": True, "ignore_case": True}, "a", "b\nSECRET"),
        ({"path": "path", "allow": ["1?", "true"]}, 12, 3),
        ({"path": "path", "allow": ["true"]}, True, False),
        ({"path": "path", "allow": ["a*"]}, ["a", {"b": "ab"}], ["a", {"b": "b"}]),
        ({"path": "path.*.url", "deny": ["http:*"]}, {"x": {"url": "https:"}}, {"x": {"url": "http:"}}),
        ({"path": "path.0", "allow": ["ls"]}, ["ls", "-l"], ["rm"]),
        ({"path": "**.url", "deny": ["http:*"]}, [[{"link": "http:"}]], [[{"url": "http:"}]]),
        ({"path": "path", "deny": ["*a" * 20 + "b"]}, "a" * 2000, "a" * 20 + "b"),
        ({"path": "path", "deny": ["(a+)+b"], "regex": True}, "a" * 2000, "aab"),
    ],
)
async def test_a_value_has_to_match(rule: dict[str, Any], passes: Any, blocked: Any) -> None:
    assert await reason(rule, path=passes) == ""
    assert await reason(rule, path=blocked) == f"the argument {rule['path']} is not allowed"


async def test_a_rule_is_for_its_tools_and_says_its_reason() -> None:
    rule = {"tools": ["write_*", "edit"], "path": "path", "deny": ["*"], "reason": "Nothing is written here"}
    assert await reason(rule, "edit", path="a") == "Nothing is written here"
    assert await reason(rule, "read", path="a") == ""


async def test_an_argument_may_be_required() -> None:
    assert await reason({"path": "a.b", "required": True}, a={"c": 1}) == "the argument a.b is not allowed"
    assert await reason({"path": "a.b", "required": True}, a={"b": None}) == ""
    assert await reason({"path": "a.b", "allow": ["x"]}, a="b") == ""


@pytest.mark.parametrize(
    ("schema", "passes", "blocked"),
    [
        ({"properties": {"a": {"maximum": 100}}}, {"a": 100}, {"a": 101}),
        ({"required": ["a"], "additionalProperties": False, "properties": {"a": {}}}, {"a": 1}, {"a": 1, "b": 2}),
        ({"properties": {"a": {"pattern": "^(x+x+)+y$"}}}, {"a": "xxy"}, {"a": "x" * 3000}),
        ({"patternProperties": {"^n_": {"type": "integer"}}}, {"n_a": 1, "b": "x"}, {"n_a": "x"}),
        ({"properties": {"a": {"$ref": "#/$defs/b"}}, "$defs": {"b": {"enum": [1]}}}, {"a": 1}, {"a": 2}),
        ({"properties": {"a": {"$ref": "http://127.0.0.1:9/never-asked"}}}, {}, {"a": 1}),
        ({"properties": {"a": {"$ref": "#"}}}, {"a": {"a": {}}}, {"a": 1}),
    ],
)
async def test_arguments_have_to_fit_the_schema(schema: dict[str, Any], passes: Any, blocked: Any) -> None:
    schema = {"type": "object", **schema}
    assert await reason({"arguments_schema": schema}, **passes) == ""
    assert await reason({"arguments_schema": schema}, **blocked) == "the arguments do not fit their schema"


async def test_large_and_nested_arguments_are_judged_too() -> None:
    nested: Any = "x"
    for _ in range(300):
        nested = [nested]
    endless = {
        "$ref": "#/$defs/a",
        "$defs": {"a": {"items": {"$ref": "#/$defs/a"}, "properties": {"a": {"$ref": "#/$defs/a"}}}},
    }
    assert await reason({"arguments_schema": endless}, a=nested)
    assert await reason({"path": "**.b", "deny": ["*"]}, a=nested, b="x")
    assert await reason({"path": "a", "deny": ["*b"]}, a="a" * LONG + "b")


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"allow": ["a"]},
        {"path": "a", "allow": ["("], "regex": True},
        {"path": "a", "allow": [r"(?=a)"], "regex": True},
        {"arguments_schema": {"type": "nothing"}},
        {"arguments_schema": {"properties": {"a": {"pattern": "(?=a)"}}}},
        {"arguments_schema": {"allOf": [{"patternProperties": {"(?=a)": {}}}]}},
    ],
)
def test_a_rule_that_cannot_be_used_is_refused(rule: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ArgumentRules.Config.model_validate({"rules": [rule]})


def test_the_catalogue_does_not_import_the_validator() -> None:
    code = "import sys; from policies.registry import catalogue; catalogue(); assert 'jsonschema' not in sys.modules"
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)
