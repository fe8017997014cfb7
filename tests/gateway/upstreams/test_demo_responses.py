"""The demo provider's answers in Responses, without any socket."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from gateway.dialects import OPENAI_RESPONSES
from gateway.upstreams.demo.provider import Reply, reply
from gateway.upstreams.demo.wire import Close, Wait
from policies.content import Response, Text, Thinking, ToolCall

SCRIPT = 'think Hm hm.\nsay Hello there\ntool bash {"command":"ls"}\ntool patch *** x\nsay Done.'
TOOLS = [{"type": "custom", "name": "patch"}, {"type": "function", "name": "bash"}]


def ask(given: Any, stream: bool = True, **fields: Any) -> Reply:
    body = {"model": "demo/script", "input": given, "stream": stream, **fields}
    return reply("POST", "/responses", [], orjson.dumps(body))


def raw(given: Any, **fields: Any) -> bytes:
    return b"".join(part for part in ask(given, **fields).parts if isinstance(part, bytes))


def said(given: Any, stream: bool = True, **fields: Any) -> Response:
    (response,) = OPENAI_RESPONSES.read_recorded(raw(given, stream=stream, **fields), stream)
    return response


@pytest.mark.parametrize("stream", [True, False])
def test_every_directive_is_an_item(stream: bool) -> None:
    response = said(SCRIPT, stream, tools=TOOLS, instructions="Be kind.")
    thinking, text, call, custom = response.blocks
    assert (thinking, text) == (Thinking("Hm hm."), Text("Hello there"))
    assert isinstance(call, ToolCall) and isinstance(custom, ToolCall)
    assert (call.name, call.arguments_text, call.custom) == ("bash", '{"command":"ls"}', False)
    assert (custom.name, custom.arguments_text, custom.custom) == ("patch", "*** x", True)
    assert (response.stop_reason, response.usage.input_tokens) == ("tool_use", 17)


def test_it_goes_on_behind_the_results_of_its_tools() -> None:
    asked = {"role": "user", "content": [{"type": "input_text", "text": SCRIPT}]}
    first, second = said([asked], tools=TOOLS).tool_calls
    results = [
        {"type": "function_call_output", "call_id": first.id, "output": "a"},
        {"type": "custom_tool_call_output", "call_id": second.id, "output": "b"},
    ]
    assert said([asked, *results], tools=TOOLS).text == "Done."


def test_its_events_are_numbered_and_end_in_the_whole_output() -> None:
    events = [orjson.loads(line[6:]) for line in raw(SCRIPT, tools=TOOLS).split(b"\n") if line.startswith(b"data: ")]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    done = [event["item"] for event in events if event["type"] == "response.output_item.done"]
    assert events[-1]["response"]["output"] == done


def test_it_fails_and_breaks_off_as_it_is_told() -> None:
    assert raw("say before\nfail").rstrip().endswith(b'"The script failed here.","param":null}')
    assert isinstance(list(ask("say before\ncut").parts)[-1], Close)
    assert Wait(0.1) in list(ask("say a\npause 0.1\nsay b").parts)
    assert ask("error 429").status == 429
    assert raw("say x", stream=True) == raw("say x", stream=True)


@pytest.mark.parametrize("body", [{}, {"model": "m"}, {"model": "m", "input": []}, {"model": "m", "input": 1}])
def test_bad_input_is_refused(body: Any) -> None:
    answer = reply("POST", "/responses", [], orjson.dumps(body))
    assert answer.status == 400
