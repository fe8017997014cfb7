"""What Responses tell several times must agree while a policy judges: clients differ in which telling they act upon."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from gateway.dialects import OPENAI_RESPONSES
from gateway.errors import UpstreamGarbled
from policies.events import BlockStart
from tests.streams import request_for

Json = dict[str, Any]
REQUEST = request_for("any")
GOOD, BAD = '{"a":"good"}', '{"a":"bad"}'
OPEN_TEXT = {"type": "output_text", "text": "", "annotations": []}


def stream(*events: Json) -> bytes:
    begun = {"type": "response.created", "response": {"id": "r", "model": "m", "output": []}}
    return b"".join(b"data: " + orjson.dumps(event) + b"\n\n" for event in (begun, *events))


def event(name: str, /, **fields: Any) -> Json:
    return {"type": f"response.{name}", "output_index": 0, **fields}


def added(item: Json, at: int = 0) -> Json:
    return event("output_item.added", output_index=at, item=item)


def done(item: Json, at: int = 0) -> Json:
    return event("output_item.done", output_index=at, item=item)


def completed(**fields: Any) -> Json:
    return {"type": "response.completed", "response": {"id": "r", "output": [], **fields}}


def call(arguments: str = "", **fields: Any) -> Json:
    return {"type": "function_call", "id": "fc", "call_id": "c", "name": "f", "arguments": arguments, **fields}


def arguments(name: str, /, **fields: Any) -> Json:
    return event(f"function_call_arguments.{name}", **fields)


def differing(name: str, **fields: Any) -> Json:
    return event(f"apply_patch_call_operation_diff.{name}", **fields)


def commanding(name: str, **fields: Any) -> Json:
    return event(f"shell_call_command.{name}", command_index=0, **fields)


def text_part(text: str) -> Json:
    return {**OPEN_TEXT, "text": text}


def message(*parts: Json) -> Json:
    return {"type": "message", "id": "m", "role": "assistant", "content": list(parts)}


def in_part(name: str, **fields: Any) -> Json:
    return event(name, content_index=0, **fields)


def reasoning(*texts: str) -> Json:
    return {"type": "reasoning", "id": "rs", "summary": [{"type": "summary_text", "text": text} for text in texts]}


def in_summary(name: str, **fields: Any) -> Json:
    return event(f"reasoning_summary_{name}", summary_index=0, **fields)


def patch(diff: str) -> Json:
    operation = {"type": "update_file", "path": "a", "diff": diff}
    return {"type": "apply_patch_call", "id": "p", "call_id": "c", "operation": operation}


def shell(*commands: str) -> Json:
    return {"type": "shell_call", "id": "s", "call_id": "c", "action": {"commands": list(commands)}}


CALLED = (added(call()), arguments("delta", delta=GOOD), done(call(GOOD)))
SAYING = (added(message()), in_part("content_part.added", part=OPEN_TEXT), in_part("output_text.delta", delta="good"))
SAID = (*SAYING, done(message(text_part("good"))))
THINKING = (added(reasoning()), in_summary("text.delta", delta="good"))

TRICKS: dict[str, tuple[Json, ...]] = {
    "a call announced with other arguments": (added(call(BAD)), done(call(GOOD))),
    "a call announced with arguments that are said again": (added(call(GOOD)), *CALLED[1:]),
    "a call announced with another action": (added(shell("bad")), done(shell("good"))),
    "a call announced with more": (added({**shell(), "action": {"commands": [], "env": {"A": "b"}}}), done(shell())),
    "a call announced in another shape": (added({**shell(), "action": "bad"}), done(shell("good"))),
    "arguments under another name": (*CALLED[:2], arguments("done", arguments=GOOD, name="g"), CALLED[2]),
    "arguments of a call that is over": (*CALLED, arguments("done", arguments=BAD, name="f")),
    "arguments of no call": (*CALLED, {"type": "response.function_call_arguments.done", "name": "f", "arguments": BAD}),
    "arguments before any call": (arguments("done", arguments=BAD, name="f"), *SAID),
    "arguments of two sorts": (done(call(GOOD, input=BAD)),),
    "a diff that is another": (added(patch("")), differing("delta", delta="bad"), done(patch("good"))),
    "a whole diff that is another": (added(patch("")), differing("done", diff="bad"), done(patch("good"))),
    "a command that is another": (added(shell()), commanding("delta", delta="bad"), done(shell("good"))),
    "a delta that has the id of another item": (
        added(call(id="a")),
        added(call(id="b"), 1),
        arguments("delta", delta=GOOD, item_id="b"),
        done(call(GOOD, id="a")),
    ),
    "a call of an unknown type": (done({"type": "tool_use", "id": "x", "name": "f", "input": {}}),),
    "a call of an unknown type with an id": (done({"type": "run", "call_id": "x"}),),
    "a message announced with a text": (added(message(text_part("bad"))), *SAYING[1:], SAID[-1]),
    "a part that ends as another": (*SAYING, in_part("content_part.done", part=text_part("bad")), SAID[-1]),
    "a part that ends as a refusal": (
        *SAYING,
        in_part("content_part.done", part={"type": "refusal", "refusal": "good"}),
        SAID[-1],
    ),
    "a text of no message": (*SAID, in_part("output_text.done", output_index=5, text="bad")),
    "a part of no message": (*SAID, in_part("content_part.added", output_index=5, part=text_part("bad"))),
    "a text in a part of an unknown type": (done(message({"type": "input_text", "text": "bad"})),),
    "a refusal beside a text": (done(message({**text_part("good"), "refusal": "bad"})),),
    "a text in a new part of an unknown type": (
        *SAYING[:1],
        in_part("content_part.added", part={"type": "text", "text": "bad"}),
    ),
    "a text beside the output": (*SAID, completed(output_text="bad")),
    "a text in a response that goes on": (*SAID, {"type": "response.in_progress", "response": {"output_text": "bad"}}),
    "an item at the end": (*SAID, {**completed(), "item": call(BAD)}),
    "a thought announced with a text": (added(reasoning("bad")),),
    "a thought that begins with a text": (
        *THINKING[:1],
        in_summary("part.added", part={"type": "summary_text", "text": "bad"}),
    ),
    "a thought that ends as another": (
        *THINKING,
        in_summary("part.done", part={"type": "summary_text", "text": "bad"}),
    ),
}


@pytest.mark.parametrize("events", [pytest.param(events, id=trick) for trick, events in TRICKS.items()])
def test_a_response_that_tells_something_in_two_ways_is_garbled(events: tuple[Json, ...]) -> None:
    with pytest.raises(UpstreamGarbled):
        OPENAI_RESPONSES.reader(REQUEST).feed(stream(*events))
    OPENAI_RESPONSES.reader(REQUEST, strict=False).feed(stream(*events))


@pytest.mark.parametrize(
    "events",
    [
        (added(call(GOOD)), arguments("done", arguments="", name="f"), done(call(GOOD))),
        (added(patch("go")), differing("delta", delta="good"), done(patch("good"))),
        (
            added(shell()),
            commanding("added", command=""),
            commanding("delta", delta="go"),
            commanding("delta", delta="od"),
            commanding("done", command="good"),
            done(shell("good")),
        ),
        (*SAYING, in_part("content_part.done", part=text_part("good")), SAID[-1], {"type": "response.heartbeat"}),
        (added(call(id="a")), added(call(id="b"), 1), arguments("delta", delta=GOOD, item_id="x")),
    ],
)
def test_what_agrees_is_read(events: tuple[Json, ...]) -> None:
    OPENAI_RESPONSES.reader(REQUEST).feed(stream(*events))


def test_a_call_may_be_announced_with_less() -> None:
    events = OPENAI_RESPONSES.reader(REQUEST).feed(
        stream(added({**shell(), "action": {"commands": [], "timeout_ms": None}}), done(shell("good")))
    )
    assert any(isinstance(event, BlockStart) and event.name == "shell" for event in events)


@pytest.mark.parametrize(
    "item",
    [
        call(GOOD, input=BAD),
        {"type": "tool_use", "id": "x", "name": "f", "input": {}},
        message({"type": "text", "text": "bad"}),
    ],
)
def test_a_whole_response_that_clients_may_read_in_another_way_is_garbled(item: Json) -> None:
    with pytest.raises(UpstreamGarbled):
        OPENAI_RESPONSES.read_answer(orjson.dumps({"id": "r", "model": "m", "output": [item]}))
