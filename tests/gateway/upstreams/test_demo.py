"""The demo provider's answers, without any socket."""

import re
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import UpstreamStalled, UpstreamTruncated
from gateway.upstreams.base import Outgoing
from gateway.upstreams.demo import MODELS, DemoUpstream
from gateway.upstreams.demo.provider import Reply, reply
from gateway.upstreams.demo.wire import Close, Part, Wait

MESSAGES, CHAT = "/messages", "/chat/completions"
PATHS = (MESSAGES, CHAT)


def ask(path: str, content: Any, *more: Any, model: str = "demo/script", stream: bool = True, **fields: Any) -> Reply:
    messages = [{"role": "user", "content": content}, *more]
    return reply("POST", path, [], orjson.dumps({"model": model, "messages": messages, "stream": stream, **fields}))


def events(parts: list[Part]) -> list[Any]:
    """The data of the frames; what is no frame stays."""
    return [
        orjson.loads(data_of(part)) if isinstance(part, bytes) and data_of(part) != b"[DONE]" else part
        for part in parts
    ]


def data_of(frame: bytes) -> bytes:
    assert frame.endswith(b"\n\n")
    assert frame.count(b"\n\n") == 1
    return frame.rstrip().rpartition(b"data: ")[2]


def streamed(path: str, content: Any, *more: Any, **fields: Any) -> list[Any]:
    return events(list(ask(path, content, *more, **fields).parts))


def whole(path: str, content: Any, *more: Any, **fields: Any) -> Any:
    (body,) = ask(path, content, *more, stream=False, **fields).parts
    assert isinstance(body, bytes)
    return orjson.loads(body)


def text_of(path: str, found: list[Any]) -> list[str]:
    """The pieces of text in a streamed answer."""
    if path == MESSAGES:
        return [
            e["delta"]["text"] for e in found if isinstance(e, dict) and e.get("delta", {}).get("type") == "text_delta"
        ]
    deltas = [choice["delta"] for e in found if isinstance(e, dict) for choice in e.get("choices", [])]
    return [delta["content"] for delta in deltas if delta.get("content")]


@pytest.mark.parametrize("path", PATHS)
def test_echo_says_the_last_user_text_a_word_an_event(path: str) -> None:
    older = {"role": "assistant", "content": "no"}
    found = streamed(path, "first", older, {"role": "user", "content": " two  words\nhere "}, model="demo/echo")
    assert text_of(path, found) == [" two  ", "words\n", "here "]


@pytest.mark.parametrize("path", PATHS)
def test_echo_does_not_obey(path: str) -> None:
    assert "".join(text_of(path, streamed(path, "error 500", model="demo/echo"))) == "error 500"


@pytest.mark.parametrize("path", PATHS)
def test_without_a_directive_a_script_is_echoed(path: str) -> None:
    assert "".join(text_of(path, streamed(path, "sayings and toolboxes"))) == "sayings and toolboxes"


@pytest.mark.parametrize("path", PATHS)
def test_a_message_without_text_still_has_an_answer(path: str) -> None:
    assert "".join(text_of(path, streamed(path, []))) != ""


@pytest.mark.parametrize("path", PATHS)
def test_the_last_text_block_whose_first_line_is_a_directive_counts(path: str) -> None:
    blocks = [{"type": "text", "text": text} for text in ("say old", "say this\nnot this", "Remember: say nothing")]
    assert "".join(text_of(path, streamed(path, blocks))) == "this"


@pytest.mark.parametrize("path", PATHS)
def test_repeat_makes_that_many_text_events(path: str) -> None:
    assert text_of(path, streamed(path, "repeat 3 tick tock")) == ["tick tock"] * 3


@pytest.mark.parametrize("line", ["repeat x y", "repeat 0 y", "pause soon", "error 200", "say", "tool", "fail now"])
def test_a_directive_that_makes_no_sense_is_no_directive(line: str) -> None:
    assert "".join(text_of(MESSAGES, streamed(MESSAGES, line))) == line


def test_anthropic_streams_are_in_order() -> None:
    found = streamed(MESSAGES, 'think hm\nsay hi\ntool Bash {"command":"ls"}\ntool Read {}')
    kinds = [event["type"] for event in found]
    assert kinds[:3] == ["message_start", "content_block_start", "ping"]
    assert kinds[-2:] == ["message_delta", "message_stop"]
    starts = [event for event in found if event["type"] == "content_block_start"]
    assert [event["index"] for event in starts] == [0, 1, 2, 3]
    assert [event["content_block"]["type"] for event in starts] == ["thinking", "text", "tool_use", "tool_use"]
    assert kinds.count("content_block_stop") == 4
    assert found[-2]["delta"]["stop_reason"] == "tool_use"
    signature = [event["delta"] for event in found if event.get("delta", {}).get("type") == "signature_delta"]
    assert signature[0]["signature"]


def test_anthropic_tool_arguments_come_in_fragments() -> None:
    found = streamed(MESSAGES, 'tool Bash {"command":"rm -rf /"}')
    parts = [event["delta"]["partial_json"] for event in found if "partial_json" in event.get("delta", {})]
    assert parts[0] == ""
    assert len(parts) > 3
    assert "".join(parts) == '{"command":"rm -rf /"}'


def test_openai_streams_are_in_order() -> None:
    found = streamed(CHAT, 'say hi\ntool Bash {"command":"ls"}\ntool Read {}', stream_options={"include_usage": True})
    chunks, usage, done = found[:-2], found[-2], found[-1]
    assert done == b"data: [DONE]\n\n"
    assert usage["choices"] == []
    assert usage["usage"]["prompt_tokens"] == 8
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks if chunk["choices"][0]["finish_reason"]] == [
        "tool_calls"
    ]
    calls = [call for chunk in chunks for call in chunk["choices"][0]["delta"].get("tool_calls", [])]
    assert [(call["index"], call["function"]["name"]) for call in calls if "id" in call] == [(0, "Bash"), (1, "Read")]
    assert "".join(call["function"]["arguments"] for call in calls if call["index"] == 0) == '{"command":"ls"}'


def test_openai_sends_usage_only_if_it_is_asked() -> None:
    assert not any("usage" in event for event in streamed(CHAT, "say hi")[:-1])


def test_openai_has_as_many_choices_as_asked_for() -> None:
    assert [choice["message"]["content"] for choice in whole(CHAT, "say hi", n=3)["choices"]] == ["hi"] * 3
    found = streamed(CHAT, "say hi", n=3)
    assert {event["choices"][0]["index"] for event in found[:-1]} == {0, 1, 2}


def test_whole_answers_hold_what_the_streams_do() -> None:
    script = 'think hm hm\nsay hi\nsay there\ntool Bash {"command":"ls"}'
    blocks = whole(MESSAGES, script)["content"]
    assert [block["type"] for block in blocks] == ["thinking", "text", "text", "tool_use"]
    assert blocks[3]["input"] == {"command": "ls"}
    message = whole(CHAT, script)["choices"][0]["message"]
    assert message["content"] == "hi\nthere" == "".join(text_of(CHAT, streamed(CHAT, script)))
    assert message["reasoning_content"] == "hm hm"
    assert message["tool_calls"][0]["function"] == {"name": "Bash", "arguments": '{"command":"ls"}'}


def test_arguments_that_are_not_json_are_sent_as_they_are() -> None:
    found = streamed(MESSAGES, "tool Bash {broken")
    parts = [event["delta"]["partial_json"] for event in found if "partial_json" in event.get("delta", {})]
    assert "".join(parts) == "{broken"
    assert whole(MESSAGES, "tool Bash {broken")["content"][0]["input"] == {"unparsed": "{broken"}


def _result(path: str, answer: Any, which: int) -> list[Any]:
    """The turn of `answer`, and the result of one of its tool calls."""
    if path == MESSAGES:
        id = [block["id"] for block in answer["content"] if block["type"] == "tool_use"][which]
        result = {"type": "tool_result", "tool_use_id": id, "content": "done"}
        return [{"role": "assistant", "content": answer["content"]}, {"role": "user", "content": [result]}]
    message = answer["choices"][0]["message"]
    return [message, {"role": "tool", "tool_call_id": message["tool_calls"][which]["id"], "content": "done"}]


def _said(path: str, answer: Any) -> str:
    if path == MESSAGES:
        return "".join(block.get("text", "") for block in answer["content"])
    return answer["choices"][0]["message"]["content"] or ""


@pytest.mark.parametrize("path", PATHS)
def test_a_turn_ends_behind_its_tools_and_goes_on_behind_the_line_that_was_answered(path: str) -> None:
    script = "say one\ntool A {}\ntool B {}\nsay two\ntool C {}\nsay three"
    first = whole(path, script)
    assert _said(path, first) == "one"
    history = _result(path, first, 1)
    second = whole(path, script, *history)
    assert _said(path, second) == "two"
    history += _result(path, second, 0)
    assert _said(path, whole(path, script, *history)) == "three"


@pytest.mark.parametrize("path", PATHS)
def test_results_whose_ids_were_changed_on_the_way_answer_the_tools_in_order(path: str) -> None:
    script = "tool A {}\nsay two"
    raw = orjson.dumps(_result(path, whole(path, script), 0))
    history = orjson.loads(re.sub(rb'"(toolu|call)_([0-9a-f]{24})"', rb'"other_\2"', raw))
    assert _said(path, whole(path, script, *history)) == "two"


@pytest.mark.parametrize("path", PATHS)
def test_a_script_that_is_over_says_so(path: str) -> None:
    script = "tool A {}"
    assert "end" in _said(path, whole(path, script, *_result(path, whole(path, script), 0)))


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 418, 429, 500, 503, 529])
def test_errors_come_before_the_first_byte_in_the_dialect(path: str, stream: bool, status: int) -> None:
    answer = ask(path, f"pause 2\nsay never\nerror {status}", stream=stream)
    assert (answer.status, answer.delay) == (status, 2)
    assert ("retry-after" in dict(answer.headers)) == (status in (429, 503, 529))
    (body,) = answer.parts
    assert isinstance(body, bytes)
    assert orjson.loads(body)["error"]["message"]


@pytest.mark.parametrize("path", PATHS)
def test_a_failure_is_told_in_the_stream_and_nothing_follows(path: str) -> None:
    found = streamed(path, "say one\nfail\nsay two")
    assert found[-1]["error"]["message"]
    assert "".join(text_of(path, found)) == "one"
    assert ask(path, "say one\nfail", stream=False).status == 500


@pytest.mark.parametrize("path", PATHS)
def test_a_cut_leaves_the_block_open(path: str) -> None:
    found = streamed(path, "say one\ntool A {}\ncut\nsay two")
    assert found[-1] == Close()
    assert b"stop" not in orjson.dumps(found[-2])


@pytest.mark.parametrize("path", PATHS)
def test_an_unstreamed_cut_announces_more_than_it_sends(path: str) -> None:
    answer = ask(path, "say one\ncut", stream=False)
    half, close = answer.parts
    assert isinstance(half, bytes)
    assert answer.length is not None
    assert len(half) < answer.length
    assert close == Close()


@pytest.mark.parametrize("path", PATHS)
def test_pauses_and_paces_are_waits(path: str) -> None:
    parts = list(ask(path, "say one\npause 1.5\npace .25\nrepeat 3 x").parts)
    waits = [part.seconds for part in parts if isinstance(part, Wait)]
    assert waits[:4] == [1.5, 0.25, 0.25, 0.25]
    assert ask(path, "pause 1\nsay hi\npause 2", stream=False).delay == 3


@pytest.mark.parametrize(
    "body",
    [b"", b"nonsense", b"[]", b"{}", b'{"model":"m"}', b'{"model":"m","messages":[]}', b'{"model":1,"messages":[1]}'],
)
@pytest.mark.parametrize("path", PATHS)
def test_bad_input_is_a_400_of_the_dialect(path: str, body: bytes) -> None:
    answer = reply("POST", path, [], body)
    assert answer.status == 400
    (error,) = answer.parts
    assert isinstance(error, bytes)
    assert orjson.loads(error)["error"]["type"] == "invalid_request_error"


def test_n_has_bounds() -> None:
    assert ask(CHAT, "say hi", n=1000).status == 400


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/messages"), ("POST", "/nothing"), ("POST", CHAT + "/count_tokens")]
)
def test_other_paths_do_not_exist(method: str, path: str) -> None:
    assert reply(method, path, [], b"{}").status == 404


def test_models_are_listed_in_the_dialect_that_is_spoken() -> None:
    for headers in ([], [("Anthropic-Version", "2023-06-01")]):
        (body,) = reply("GET", "/models?limit=1000", headers, b"").parts
        assert isinstance(body, bytes)
        listed = orjson.loads(body)
        assert [model["id"] for model in listed["data"]] == list(MODELS)
        assert ("has_more" in listed) == bool(headers)


def test_tokens_are_words() -> None:
    body = orjson.dumps({"model": "m", "system": "be kind", "messages": [{"role": "user", "content": "a b c"}]})
    (counted,) = reply("POST", "/messages/count_tokens?beta=true", [], body).parts
    assert counted == b'{"input_tokens":5}'


LINES = st.sampled_from(
    [
        "say a b",
        "think c",
        'tool T {"x": 1}',
        "tool U",
        "repeat 3 z",
        "pause 0.1",
        "pace 0.1",
        "fail",
        "cut",
        "error 429",
        "x",
    ]
)


@given(st.lists(LINES, min_size=1).map("\n".join) | st.text(), st.sampled_from(PATHS), st.booleans())
def test_the_same_request_has_the_same_answer(script: str, path: str, stream: bool) -> None:
    script = script.encode(errors="replace").decode()
    one, two = (ask(path, script, stream=stream) for _ in range(2))
    assert (one.status, one.headers, list(one.parts)) == (two.status, two.headers, list(two.parts))


@given(st.text(min_size=1).filter(str.strip), st.sampled_from(PATHS))
def test_an_echo_is_exact(text: str, path: str) -> None:
    assert "".join(text_of(path, streamed(path, text, model="demo/echo"))) == text


async def test_within_the_process_it_streams_over_silences() -> None:
    body = orjson.dumps(
        {"model": "m", "stream": True, "messages": [{"role": "user", "content": "say a\npause .01\nsay b"}]}
    )
    async with DemoUpstream().send(Outgoing("POST", MESSAGES, [], body, True)) as answer:
        chunks = [chunk async for chunk in answer.chunks()]
    assert len(chunks) == 2
    assert b'"b"' not in chunks[0]


@pytest.mark.parametrize(
    ("script", "error"), [("say a\ncut", UpstreamTruncated), ("say a\npause 3600", UpstreamStalled)]
)
async def test_within_the_process_it_breaks_as_others_do(script: str, error: type[Exception]) -> None:
    body = orjson.dumps({"model": "m", "stream": True, "messages": [{"role": "user", "content": script}]})
    demo = DemoUpstream("demo", idle=0.01)
    async with demo.send(Outgoing("POST", MESSAGES, [], body, True)) as answer:
        with pytest.raises(error, match="The provider demo"):
            await answer.read()
    await demo.close()


async def test_within_the_process_a_late_head_is_a_stall() -> None:
    body = orjson.dumps({"model": "m", "messages": [{"role": "user", "content": "pause 3600\nsay a"}]})
    with pytest.raises(UpstreamStalled, match="did not begin"):
        async with DemoUpstream(first_byte=0.01).send(Outgoing("POST", MESSAGES, [], body, False)):
            pass
