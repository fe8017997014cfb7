"""Answers on their way from one dialect to another: lists of events in, lists of events out."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from gateway.dialects import ANTHROPIC, OPENAI_CHAT, Dialect
from gateway.dialects.settings import Model
from gateway.dialects.tool_names import safe_name
from gateway.errors import UpstreamGarbled
from gateway.translation import AnswerTranslator, Translation
from policies.content import Request, Response, Text, Thinking, Tool, ToolCall, Usage
from policies.events import (
    Aside,
    BlockDelta,
    BlockEnd,
    BlockStart,
    End,
    Event,
    Failure,
    Frame,
    Start,
    block_events,
    fold,
)

LONG = "mcp__server__" + "a" * 80
TOOLS = (Tool("get"), Tool("patch", custom=True), Tool(LONG), Tool("a.b"))
USAGE = Usage(7, 5, 2, 1, source={"prompt_tokens": 10})


def translator(client: Dialect, dialect: Dialect) -> AnswerTranslator:
    request = Request("public", tools=TOOLS)
    return AnswerTranslator(client, dialect, "theirs", model="public", call_id="call_1", request=request)


def translated(client: Dialect, dialect: Dialect, *blocks: Sequence[Event], reason: str = "end_turn") -> Response:
    """The answer with these blocks, folded."""
    events = [Start("id_1", "m", USAGE, frame=Frame(b"x"), source={"a": 1}), *[e for block in blocks for e in block]]
    return fold(translator(client, dialect).translate([*events, End(reason, USAGE, Frame(b"x"), {"b": 1})]))


def to_anthropic(*blocks: Sequence[Event], reason: str = "end_turn") -> Response:
    return translated(ANTHROPIC, OPENAI_CHAT, *blocks, reason=reason)


def to_chat(*blocks: Sequence[Event], reason: str = "end_turn") -> Response:
    return translated(OPENAI_CHAT, ANTHROPIC, *blocks, reason=reason)


def block(*made: object) -> list[Event]:
    return [event for each in made for event in block_events(each)]  # type: ignore[arg-type]


def test_nothing_keeps_its_bytes_its_source_or_the_providers_name_of_the_model() -> None:
    events = [Start("id_1", "m", USAGE, frame=Frame(b"x"), source={"a": 1}), *block(Text("hi", {"type": "text"}))]
    out = translator(ANTHROPIC, OPENAI_CHAT).translate([*events, End("end_turn", USAGE, Frame(b"x"), {"b": 1})])
    assert all(event.frame is None and event.source is None for event in out)
    assert out == [Start("id_1", "public", USAGE), *block(Text("hi")), End("end_turn", USAGE)]
    assert isinstance(out[-1], End) and out[-1].usage.source is None


def test_an_answer_without_an_id_has_the_calls() -> None:
    assert translator(ANTHROPIC, OPENAI_CHAT).translate([Start()]) == [Start("call_1", "public")]


def test_what_only_one_dialect_knows_is_left_out() -> None:
    hosted = ToolCall("s1", "web_search", "{}", executed=True)
    opaque: list[Event] = [BlockStart("opaque", type="web_search_tool_result"), BlockDelta(), BlockEnd()]
    assert to_chat([Aside(Frame(b": ping"))], block(hosted), opaque, block(Text("a"))).blocks == (Text("a"),)


def test_thinking_carries_its_signature_marked_with_who_gave_it_where_the_client_sends_it_back() -> None:
    assert to_anthropic(block(Thinking("hm"))).blocks == (Thinking("hm", "luthien:theirs:"),)
    assert to_chat(block(Thinking("hm", "sig"))).blocks == (Thinking("hm"),)


def test_thinking_without_words_is_left_out_where_its_signature_cannot_travel() -> None:
    assert to_chat(block(Thinking("", "sig")), block(Text("a"))).blocks == (Text("a"),)
    same_kind = translated(ANTHROPIC, ANTHROPIC, block(Thinking("", "sig")))
    assert same_kind.blocks == (Thinking("", "luthien:theirs:sig"),)


@pytest.mark.parametrize("call_id", ["functions.get:0", "call 1", "ä", "luthien_id_x", "call_1"])
def test_ids_of_tool_calls_are_such_as_an_anthropic_client_may_send_back(call_id: str) -> None:
    (call,) = to_anthropic(block(ToolCall(call_id, "get", "{}"))).tool_calls
    assert call.id.isascii() and call.id.replace("_", "").replace("-", "").isalnum()
    assert (call.id == call_id) == (call_id == "call_1")


def test_an_id_stays_what_it_is_for_a_client_that_takes_any() -> None:
    assert to_chat(block(ToolCall("functions.get:0", "get", "{}"))).tool_calls[0].id == "functions.get:0"


def test_tool_calls_without_an_id_can_be_told_apart() -> None:
    calls = to_anthropic(block(ToolCall("", "get", "{}")), block(ToolCall("", "get", "{}"))).tool_calls
    assert [call.id for call in calls] == ["call_1_1", "call_1_2"]


@pytest.mark.parametrize("arguments", ["", " \n"])
def test_a_call_without_arguments_says_so(arguments: str) -> None:
    (call,) = to_chat(block(ToolCall("c", "get", arguments))).tool_calls
    assert call.arguments_text.strip() == "{}"


def test_a_call_without_any_delta_says_so() -> None:
    events: list[Event] = [BlockStart("tool_call", "c", "get"), BlockEnd()]
    assert to_chat(events).tool_calls[0].arguments_text == "{}"


def test_arguments_are_what_the_model_wrote_also_where_they_are_not_json() -> None:
    assert to_chat(block(ToolCall("c", "get", '{"a": '))).tool_calls[0].arguments_text == '{"a": '


@pytest.mark.parametrize(
    ("arguments", "text"),
    [('{"input":"a\\nb"}', "a\nb"), ('{"input":1}', '{"input":1}'), ('{"x":"y"}', '{"x":"y"}'), ("{", "{"), ("", "")],
)
def test_a_custom_tools_input_is_unwrapped(arguments: str, text: str) -> None:
    events: list[Event] = [BlockStart("tool_call", "c", "patch"), *[BlockDelta(part) for part in arguments], BlockEnd()]
    (call,) = to_chat(events).tool_calls
    assert call == ToolCall("c", "patch", text, custom=True)


@pytest.mark.parametrize("name", [LONG, "a.b"])
def test_a_tool_has_its_own_name_again(name: str) -> None:
    assert to_chat(block(ToolCall("c", safe_name(name), "{}"))).tool_calls[0].name == name


@pytest.mark.parametrize(
    ("reason", "calls", "told"),
    [
        ("end_turn", False, "end_turn"),
        ("end_turn", True, "tool_use"),
        ("tool_use", True, "tool_use"),
        ("tool_use", False, "end_turn"),
        ("max_tokens", True, "max_tokens"),
        ("refusal", False, "refusal"),
        ("stop_sequence", False, "stop_sequence"),
        ("model_context_window_exceeded", False, "max_tokens"),
        ("pause_turn", False, "end_turn"),
        ("insufficient_system_resource", False, "end_turn"),
        ("", False, "end_turn"),
    ],
)
def test_a_stop_reason_is_one_that_every_client_knows_and_agrees_with_the_answer(
    reason: str, calls: bool, told: str
) -> None:
    blocks = [block(ToolCall("c", "get", "{}"))] if calls else []
    assert to_anthropic(*blocks, reason=reason).stop_reason == told


@pytest.mark.parametrize(
    ("client", "dialect", "came", "told"),
    [
        (OPENAI_CHAT, ANTHROPIC, "rate_limit_error", "rate_limit_error"),
        (OPENAI_CHAT, ANTHROPIC, "overloaded_error", "server_error"),
        (OPENAI_CHAT, ANTHROPIC, "who_knows", "server_error"),
        (ANTHROPIC, OPENAI_CHAT, "server_error", "api_error"),
        (ANTHROPIC, OPENAI_CHAT, "rate_limit_exceeded", "rate_limit_error"),
    ],
)
def test_a_failure_is_of_a_type_that_the_client_knows(client: Dialect, dialect: Dialect, came: str, told: str) -> None:
    assert translator(client, dialect).translate([Failure(came, "busy")]) == [Failure(told, "busy")]


def translation(client: Dialect, dialect: Dialect) -> Translation:
    body = {"model": "public", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
    request = client.read_request(json.dumps(body).encode())
    return Translation(client, dialect, "theirs", Model("m"), request, request, "call_1")


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, "invalid_request"), (404, "not_found"), (409, "invalid_request"), (429, "rate_limit"), (500, "api_error"),
     (529, "overloaded"), (401, "authentication"), (403, "permission"), (413, "too_large"), (504, "timeout")],
)  # fmt: skip
def test_an_error_keeps_its_status_and_gets_the_kind_of_that(status: int, kind: str) -> None:
    refusal = translation(ANTHROPIC, OPENAI_CHAT).refusal(status, [], b'{"error":{"message":"because","code":null}}')
    assert (refusal.status, refusal.kind, refusal.code) == (status, kind, None)
    assert ("because" in str(refusal)) == (status not in (401, 403))


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'{"error":1}', b'{"error":{"message":null}}', b'{"error":[]}']
)
@pytest.mark.parametrize(("client", "dialect"), [(ANTHROPIC, OPENAI_CHAT), (OPENAI_CHAT, ANTHROPIC)])
def test_an_error_that_cannot_be_read_says_its_status(client: Dialect, dialect: Dialect, body: bytes) -> None:
    refusal = translation(client, dialect).refusal(502, [], body)
    assert str(refusal) == "The provider theirs answered with status 502."


@pytest.mark.parametrize(
    ("headers", "retry_after", "should_retry"),
    [
        ([("retry-after", "3")], 3.0, None),
        ([("retry-after", "Fri, 31 Dec 1999 23:59:59 GMT")], None, None),
        ([("x-should-retry", "false"), ("retry-after", "-1")], 0.0, False),
        ([("x-should-retry", "true"), ("retry-after", "inf")], 86_400.0, True),
        ([("retry-after", "nan")], 0.0, None),
        ([("x-should-retry", "maybe")], None, None),
    ],
)
def test_an_error_keeps_what_tells_clients_when_to_try_again(
    headers: list[tuple[str, str]], retry_after: float | None, should_retry: bool | None
) -> None:
    refusal = translation(ANTHROPIC, OPENAI_CHAT).refusal(429, headers, b"")
    assert (refusal.retry_after, refusal.should_retry) == (retry_after, should_retry)


def test_a_conversation_that_is_too_long_is_told_in_the_words_that_clients_look_for() -> None:
    too_long = b'{"error":{"message":"Too many.","type":"invalid_request_error","code":"context_length_exceeded"}}'
    refusal = translation(ANTHROPIC, OPENAI_CHAT).refusal(400, [], too_long)
    assert b'"prompt is too long: The provider' in ANTHROPIC.write_error(refusal, "call_1")
    prompt = b'{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 9 > 8"}}'
    told = OPENAI_CHAT.write_error(translation(OPENAI_CHAT, ANTHROPIC).refusal(400, [], prompt), "call_1")
    assert json.loads(told)["error"]["code"] == "context_length_exceeded"


def test_an_answer_that_is_not_the_dialect_is_an_error_because_nobody_could_pass_it_on() -> None:
    made = translation(ANTHROPIC, OPENAI_CHAT)
    with pytest.raises(UpstreamGarbled):
        made.read_answer(b'{"type":"message"}')
    with pytest.raises(UpstreamGarbled):
        made.reader().feed(b"data: {]\n\n")


def test_thinking_is_bound_where_it_is_signed_and_comes_back() -> None:
    assert not translation(ANTHROPIC, OPENAI_CHAT).binds_thinking
    assert not translation(OPENAI_CHAT, ANTHROPIC).binds_thinking
    assert translation(ANTHROPIC, ANTHROPIC).binds_thinking
