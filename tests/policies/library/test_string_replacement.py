from typing import Any

import pytest
from pydantic import ValidationError

from policies.base import Call
from policies.content import Message, Request, Text, ToolCall, ToolResult
from policies.library.string_replacement import StringReplacement
from policies.testing import judge, new_blocks, new_request, request, stream_text, tool_call


def replacing(*rules: dict[str, Any], **config: Any) -> StringReplacement:
    return StringReplacement(StringReplacement.Config.model_validate({"rules": rules, **config}))


def rule(find: str, replacement: str, **options: bool) -> dict[str, Any]:
    return {"find": find, "replace": replacement, **options}


@pytest.mark.parametrize(
    ("given", "text", "expected"),
    [
        (rule("a", "b"), "aXa", "bXb"),
        (rule("aa", "b"), "aaa", "ba"),
        (rule("STRASSE", "x", ignore_case=True), "strasse Straße", "x Straße"),
        (rule("i̇", "x", ignore_case=True), "İ i̇", "İ x"),
        (rule(r"\d+", "#", regex=True), "a1b22", "a#b#"),
        (rule(r"(\w+)@(\w+)", r"\2 at \1", regex=True), "me@home", "home at me"),
        (rule(r"(?P<name>\w+)@", r"\g<name>:", regex=True), "me@home", "me:home"),
        (rule(r"(a)|b", r"<\1>", regex=True), "ab", "<a><>"),
        (rule(r"x", r"\\", regex=True), "x", "\\"),
        (rule("a", "ä漢", regex=True), "éa", "éä漢"),
        (rule("A", "x", regex=True, ignore_case=True), "aA", "xx"),
        (rule("a.c", "x", regex=True), "a\nc", "a\nc"),
        (rule("^", "> ", regex=True), "a\n\nb", "> a\n\n> b"),
    ],
)
def test_a_rule_replaces(given: dict[str, Any], text: str, expected: Any) -> None:
    assert stream_text(replacing(given), [text]) == expected


def test_a_rule_sees_what_the_one_before_made() -> None:
    policy = replacing(rule("a", "b"), rule("bb", "c"), rule("^c$", "d", regex=True))
    assert stream_text(policy, ["a", "b", "\n", "a"]) == "d\nb"


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (rule("", "x"), "at least 1 character"),
        (rule("(", "x", regex=True), "the regular expression cannot be used"),
        (rule(r"a(?=b)", "x", regex=True), "the regular expression cannot be used"),
        (rule("a", r"\1", regex=True), "has no group 1"),
        (rule("a", r"\g<name>", regex=True), "has no group name"),
        (rule("a", r"\n", regex=True), "means nothing in a replacement"),
        (rule("a", "\\", regex=True), "means nothing in a replacement"),
    ],
)
def test_a_rule_that_cannot_work_is_refused(given: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        replacing(given)


def test_a_literal_may_contain_backslashes() -> None:
    assert stream_text(replacing(rule(r"\1", r"\g<x>")), [r"a\1"]) == r"a\g<x>"


def test_a_catastrophic_pattern_takes_linear_time() -> None:
    assert stream_text(replacing(rule(r"(a|aa)+$", "x", regex=True)), ["a" * 50_000 + "b"]).endswith("ab")


def test_each_block_begins_anew() -> None:
    policy, call = replacing(rule("ab", "x")), Call()
    assert stream_text(policy, ["a"], call) + stream_text(policy, ["b"], call) == "ab"


async def test_requests_are_left_alone_unless_wanted() -> None:
    assert not replacing(rule("a", "b")).overrides("on_request")
    policy = replacing(rule("a", "b"), requests=True)
    assert policy.overrides("on_request")
    assert (await judge(policy, request("xyz"))).action == "allow"
    assert new_request(await judge(policy, request("abc"))).last_user_text == "bbc"


async def test_what_tools_return_is_part_of_a_request() -> None:
    result = Message("tool", (ToolResult("1", (Text("a"),)),))
    verdict = await judge(replacing(rule("a", "b"), requests=True), Request("m", (result,)))
    assert list(new_request(verdict).texts()) == ["b"]


async def test_tool_arguments_are_left_alone_unless_wanted() -> None:
    assert not replacing(rule("a", "b")).overrides("on_tool_call")
    policy = replacing(rule("a", "b"), tool_arguments=True)
    assert policy.overrides("on_tool_call")
    assert (await judge(policy, tool_call("t", x="xyz"))).action == "allow"
    verdict = await judge(policy, tool_call("t", a="a", n=1, deep=[{"a": ["a", None]}]))
    expected = tool_call("t", a="b", n=1, deep=[{"a": ["b", None]}]).arguments
    assert [block.arguments for block in new_blocks(verdict) if isinstance(block, ToolCall)] == [expected]


async def test_a_custom_tool_is_free_text() -> None:
    verdict = await judge(replacing(rule("a", "b"), tool_arguments=True), ToolCall("1", "patch", "a", custom=True))
    assert new_blocks(verdict) == (ToolCall("1", "patch", "b", custom=True),)
