"""The official anthropic SDK, straight at the provider and through the gateway: the same objects."""

from __future__ import annotations

import base64
import json
from typing import Any

import anthropic
import httpx
import pytest

from tests.clients.conftest import Gateway
from tests.gateway.running import DEADLINE

pytestmark = pytest.mark.client

PIXEL = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(32)).decode()
TOOLS: Any = [{"name": "bash", "description": "Runs a command", "input_schema": {"type": "object"}}]
CASES: dict[str, str] = {
    "text": "say Hello there, how are you?",
    "long text": "repeat 50 word ",
    "unicode": 'say Grüße, 世界 🌍 \\ "quoted"',
    "thinking": "think Let me see.\nsay Done.",
    "a tool": 'say I look.\ntool bash {"command": "ls -la"}',
    "parallel tools": 'tool bash {"command": "ls"}\ntool bash {"command": "pwd"}\ntool bash {}',
    "everything": 'think Hm.\nsay First.\ntool bash {"command": "git status"}',
}


def client(url: str, key: str) -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=url, api_key=key, max_retries=0)


def ask(script: str, **more: Any) -> dict[str, Any]:
    return {
        "model": "demo/script",
        "max_tokens": 1000,
        "messages": [{"role": "user", "content": script}],
        "tools": TOOLS,
        **more,
    }


@pytest.mark.parametrize("case", CASES)
def test_an_answer_is_the_providers_own(gateway: Gateway, case: str) -> None:
    direct = client(gateway.provider, "any").messages.create(**ask(CASES[case]))
    through = client(gateway.url, gateway.key()).messages.create(**ask(CASES[case]))
    assert through == direct


@pytest.mark.parametrize("case", CASES)
def test_a_stream_is_the_providers_own_event_by_event(gateway: Gateway, case: str) -> None:
    streams = []
    for url, key in ((gateway.provider, "any"), (gateway.url, gateway.key())):
        with client(url, key).messages.stream(**ask(CASES[case])) as stream:
            streams.append((list(stream), stream.get_final_message()))
    assert streams[0] == streams[1]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("path", ["", "?beta=true"])
def test_the_bytes_of_a_stream_are_the_providers_own(gateway: Gateway, case: str, path: str) -> None:
    body = json.dumps({**ask(CASES[case]), "stream": True})
    raw = [
        httpx.post(f"{url}/v1/messages{path}", content=body, headers={"x-api-key": key}, timeout=DEADLINE).content
        for url, key in ((gateway.provider, "any"), (gateway.url, gateway.key()))
    ]
    assert raw[0] == raw[1]


@pytest.mark.parametrize("case", CASES)
def test_streamed_and_whole_say_the_same_under_policies(gateway: Gateway, case: str) -> None:
    loud = client(gateway.url, gateway.key("loud"))
    whole = loud.messages.create(**ask(CASES[case]))
    with loud.messages.stream(**ask(CASES[case])) as stream:
        streamed = stream.get_final_message()
    assert [block.to_dict() for block in streamed.content] == [block.to_dict() for block in whole.content]
    assert streamed.stop_reason == whole.stop_reason
    assert all(block.text == block.text.upper() for block in whole.content if block.type == "text")


def test_a_blocked_tool_call_becomes_a_notice_before_those_that_stay(gateway: Gateway) -> None:
    script = 'say I clean up.\ntool bash {"command": "rm -rf /"}\ntool bash {"command": "ls"}'
    answer = client(gateway.url, gateway.key("guarded")).messages.create(**ask(script))
    said, notice, stays = answer.content
    assert said.type == notice.type == "text"
    assert "no-dangerous-commands" in notice.text and "bash" in notice.text
    assert "rm -rf" not in notice.text
    assert stays.type == "tool_use" and stays.input == {"command": "ls"}
    assert answer.stop_reason == "tool_use"


def test_where_every_tool_call_is_blocked_the_turn_ends(gateway: Gateway) -> None:
    guarded = client(gateway.url, gateway.key("guarded"))
    with guarded.messages.stream(**ask('tool bash {"command": "rm -rf /"}')) as stream:
        events = list(stream)
        answer = stream.get_final_message()
    assert [block.type for block in answer.content] == ["text"]
    assert answer.stop_reason == "end_turn"
    assert not any("rm -rf" in str(event) for event in events)


def test_images_and_tool_results_reach_the_provider(gateway: Gateway) -> None:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}
    messages = [
        {"role": "user", "content": [image, {"type": "text", "text": 'tool bash {"command": "ls"}\nsay Done.'}]},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "bash", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": [image]}]},
    ]
    direct = client(gateway.provider, "any").messages.create(**ask("", messages=messages))
    through = client(gateway.url, gateway.key("loud")).messages.create(**ask("", messages=messages))
    assert direct.content[0].type == through.content[0].type == "text"
    assert through.content[0].text == direct.content[0].text.upper()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 429, 500, 529])
def test_an_error_of_the_provider_stays_what_it_was(gateway: Gateway, status: int, stream: bool) -> None:
    raised = []
    for url, key in ((gateway.provider, "any"), (gateway.url, gateway.key("loud"))):
        with pytest.raises(anthropic.APIStatusError) as caught:
            client(url, key).messages.create(**ask(f"error {status}"), stream=stream)
        raised.append((caught.value.status_code, caught.value.body, caught.value.response.headers.get("retry-after")))
    assert raised[0] == raised[1]
    assert raised[0][0] == status


@pytest.mark.parametrize("directive", ["fail", "cut"])
def test_a_failure_in_mid_stream_is_an_error_and_no_end_follows(gateway: Gateway, directive: str) -> None:
    body = json.dumps({**ask(f"say before\n{directive}\nsay after"), "stream": True})
    headers = {"x-api-key": gateway.key("loud")}
    raw = httpx.post(f"{gateway.url}/v1/messages", content=body, headers=headers, timeout=DEADLINE).text
    assert "event: error" in raw
    assert "message_stop" not in raw
    assert "after" not in raw.lower()


def test_a_wrong_key_is_told_so(gateway: Gateway) -> None:
    with pytest.raises(anthropic.AuthenticationError) as caught:
        client(gateway.url, "lth_nonsense").messages.create(**ask("say hi"))
    assert "lth_nonsense" not in str(caught.value)


def test_an_unknown_model_is_not_found(gateway: Gateway) -> None:
    with pytest.raises(anthropic.NotFoundError):
        client(gateway.url, gateway.key()).messages.create(**ask("say hi", model="nobody/serves-this"))


def test_a_provider_that_cannot_be_reached_is_named(gateway: Gateway) -> None:
    with pytest.raises(anthropic.InternalServerError) as caught:
        client(gateway.url, gateway.key()).messages.create(**ask("say hi", model="unreachable"))
    assert caught.value.status_code == 502
    assert "nowhere" in str(caught.value)


def test_tokens_are_counted_by_the_provider(gateway: Gateway) -> None:
    counted = [
        client(url, key).messages.count_tokens(
            model="demo/script", messages=[{"role": "user", "content": "one two three"}]
        )
        for url, key in ((gateway.provider, "any"), (gateway.url, gateway.key()))
    ]
    assert counted[0] == counted[1]


def test_models_are_listed(gateway: Gateway) -> None:
    listed = client(gateway.url, gateway.key()).models.list(limit=1000)
    assert "unreachable" in [model.id for model in listed.data]
