"""The address of a call's page in its answer, as each dialect's client reads it."""

import json
from typing import Any

import pytest

from tests.gateway.running import ANTHROPIC, CHAT, House, ask, client, streamed_and_not

SCRIPT = 'say Hello.\ntool bash {"command": "ls"}'


def page(house: House, call_id: str) -> str:
    return f"See {house.url}/calls/{call_id}/"


@streamed_and_not
async def test_an_anthropic_client_reads_it_before_the_tool_call(house: House, stream: bool) -> None:
    got = await ask(house, "linked", ANTHROPIC, SCRIPT, stream=stream)
    link = page(house, got.headers["x-luthien-call-id"])
    if not stream:
        assert [block.get("text", block["type"]) for block in got.json()["content"]] == ["Hello.", link, "tool_use"]
        return
    events = [json.loads(line[6:]) for line in got.text.splitlines() if line.startswith("data: ")]
    starts = [event["content_block"]["type"] for event in events if event["type"] == "content_block_start"]
    deltas = [event["delta"] for event in events if event["type"] == "content_block_delta"]
    assert starts == ["text", "text", "tool_use"]
    assert "".join(delta.get("text", "") for delta in deltas) == f"Hello.{link}"


@streamed_and_not
async def test_a_chat_client_reads_it_in_the_content(house: House, stream: bool) -> None:
    got = await ask(house, "linked", CHAT, SCRIPT, stream=stream)
    expected = f"Hello.\n\n{page(house, got.headers['x-luthien-call-id'])}"
    if not stream:
        message = got.json()["choices"][0]["message"]
        assert (message["content"], len(message["tool_calls"])) == (expected, 1)
        return
    chunks = [json.loads(line[6:]) for line in got.text.splitlines() if line.startswith("data: {")]
    deltas = [choice["delta"] for chunk in chunks for choice in chunk["choices"]]
    assert "".join(delta.get("content") or "" for delta in deltas) == expected


@streamed_and_not
async def test_a_responses_client_reads_it_as_a_message(house: House, stream: bool) -> None:
    async with client(house, "linked") as made:
        asked: dict[str, Any] = {"model": "chat/script", "input": SCRIPT, "stream": stream}
        got = await made.post("/v1/responses", json=asked)
    link = page(house, got.headers["x-luthien-call-id"])
    if stream:
        events = [json.loads(line[6:]) for line in got.text.splitlines() if line.startswith("data: {")]
        output = events[-1]["response"]["output"]
        told = "".join(event["delta"] for event in events if event["type"] == "response.output_text.delta")
        assert told.endswith(link)
    else:
        output = got.json()["output"]
    texts = [part["text"] for item in output if item["type"] == "message" for part in item["content"]]
    assert "".join(texts).startswith("Hello.") and texts[-1].endswith(link)
    assert output[-1]["type"] == "function_call"


@pytest.mark.parametrize("dialect", [ANTHROPIC, CHAT], ids=lambda dialect: dialect.name)
async def test_only_the_first_answer_has_it(house: House, dialect: Any) -> None:
    asked = {"role": "user", "content": "say Hello."}
    messages = [asked, {"role": "assistant", "content": "Hello."}, asked]
    got = await ask(house, "linked", dialect, "", messages=messages)
    assert "Hello." in got.text
    assert "/calls/" not in got.text
