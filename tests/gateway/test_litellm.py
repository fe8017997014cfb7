"""Calls that litellm carries, against a real server: from warming up to a stream, in every client's dialect."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from gateway.upstreams.demo.embeddings import vector
from tests.clients.conftest import demo_provider
from tests.gateway.running import (
    ANTHROPIC,
    CHAT,
    IMPORT_DEADLINE,
    PROVIDER_SECRET,
    House,
    ask,
    client,
    eventually,
    secret,
    streamed_and_not,
)
from tests.gateway.running import Dialect as Spoken
from tests.plugins.live import LiveLuthien, end, migrated
from tests.plugins.servers import free_port

MODELS = ("openai", "anthropic")
SPEAKERS = [dataclasses.replace(each, model=f"{model}/script") for each in (ANTHROPIC, CHAT) for model in MODELS]
TOOL = 'say hello\ntool bash {"command": "ls"}'

pytestmark = pytest.mark.xdist_group("litellm")
every_way = pytest.mark.parametrize("dialect", SPEAKERS, ids=lambda each: f"{each.name}-{each.model}")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Its providers are reached through litellm, and it has just been started."""
    folder = tmp_path_factory.mktemp("litellm")
    folder.chmod(0o700)
    with demo_provider(folder) as demo:
        environment = {"DATABASE_URL": migrated("sqlite", folder), "REDIS_URL": "", "OPENAI_API_KEY": "sk-canary"}
        server = LiveLuthien(folder, environment)
        made = House(server, demo, free_port(), {})
        made.apply(**configuration(demo))
        try:
            server.start()
            yield made
        finally:
            end(server)


def configuration(demo: str) -> dict[str, Any]:
    urls = {"openai": f"{demo}/v1", "anthropic": demo}
    return {
        "providers": {
            name: {"dialect": "litellm", "litellm_provider": name, "base_url": url, "api_key": PROVIDER_SECRET}
            for name, url in urls.items()
        },
        "models": [
            *({"match": f"{name}/script", "provider": name, "model": "demo/script"} for name in urls),
            {"match": "embed", "provider": "openai", "model": "demo/embed"},
        ],
        "keys": [
            {"name": "reader", "key": secret("reader"), "read": True},
            *({"name": name, "key": secret(name)} for name in ("plain", "loud", "guarded")),
        ],
        "policies": [
            {"name": "shout", "policy": "uppercase", "scope": {"keys": ["loud"]}},
            {"name": "guard", "policy": "block_dangerous_commands", "scope": {"keys": ["guarded"]}},
        ],
    }


async def test_a_provider_warms_up_and_then_answers(house: House) -> None:
    async def answered() -> httpx.Response | None:
        got = await ask(house, "plain", SPEAKERS[2], "say hello")
        if got.status_code == 200:
            return got
        assert got.status_code == 503
        assert got.headers["retry-after"] == "3"
        assert "warming up" in got.json()["error"]["message"]
        return None

    got = await eventually(answered, IMPORT_DEADLINE)
    assert got.json()["choices"][0]["message"]["content"] == "hello"


async def said(house: House, key: str, dialect: Spoken, script: str, stream: bool) -> tuple[str, dict[str, Any]]:
    """The answer's text, whatever it is written in, and its record."""

    async def answered() -> httpx.Response | None:
        got = await ask(house, key, dialect, script, stream=stream)
        return None if got.status_code == 503 else got

    got = await eventually(answered, IMPORT_DEADLINE)
    record = await house.record(got.headers["x-luthien-call-id"])
    async with client(house, "reader") as made:
        diff = (await made.get(f"/debug/calls/{record['id']}/diff")).json()
    return "".join(block.get("text", "") for block in diff["response"]["final"]), record


@every_way
@streamed_and_not
async def test_a_policy_sees_what_litellm_brings(house: House, dialect: Spoken, stream: bool) -> None:
    text, record = await said(house, "loud", dialect, "say hello there", stream)
    assert text == "HELLO THERE"
    assert record["outcome"] == "finished"
    assert (record["usage"]["input_tokens"], record["usage"]["output_tokens"]) == (3, 2)
    assert record["attempts"][0]["provider"] == dialect.model.partition("/")[0]


@every_way
@streamed_and_not
async def test_a_tool_call_is_blocked_before_it_is_released(house: House, dialect: Spoken, stream: bool) -> None:
    text, record = await said(house, "guarded", dialect, 'tool bash {"command": "rm -rf /"}', stream)
    assert "no-" not in text
    assert record["outcome"] == "blocked"
    assert [block["kind"] for block in record["blocks"]] == ["text"]


@every_way
@streamed_and_not
async def test_a_tool_call_that_nobody_minds_arrives(house: House, dialect: Spoken, stream: bool) -> None:
    tools = {
        ANTHROPIC.name: [{"name": "bash", "input_schema": {"type": "object", "properties": {}}}],
        CHAT.name: [{"type": "function", "function": {"name": "bash", "parameters": {"type": "object"}}}],
    }[dialect.name]

    async def answered() -> httpx.Response | None:
        got = await ask(house, "guarded", dialect, TOOL, stream=stream, tools=tools)
        return None if got.status_code == 503 else got

    got = await eventually(answered, IMPORT_DEADLINE)
    record = await house.record(got.headers["x-luthien-call-id"])
    assert record["outcome"] == "finished", got.text
    assert [(block["kind"], block["name"]) for block in record["blocks"]] == [("text", ""), ("tool_call", "bash")]


@every_way
async def test_an_error_before_the_first_byte_keeps_its_status(house: House, dialect: Spoken) -> None:
    _, record = await said(house, "plain", dialect, "error 429", stream=True)
    assert (record["status"], record["outcome"]) == (429, "upstream_error")


@every_way
async def test_an_error_in_mid_stream_ends_the_call(house: House, dialect: Spoken) -> None:
    _, record = await said(house, "plain", dialect, "say hello\nfail", stream=True)
    assert record["outcome"] == "upstream_error"
    _, record = await said(house, "plain", dialect, "say hello\ncut", stream=True)
    assert record["outcome"] == "cut"


async def test_embeddings_go_through_it_too(house: House) -> None:
    async def answered() -> httpx.Response | None:
        async with client(house) as made:
            got = await made.post("/v1/embeddings", json={"model": "embed", "input": ["one two"]})
        return None if got.status_code == 503 else got

    got = await eventually(answered, IMPORT_DEADLINE)
    assert got.json()["data"][0]["embedding"] == pytest.approx(vector("one two"))
    record = await house.record(got.headers["x-luthien-call-id"])
    assert record["usage"]["input_tokens"] == 2


async def test_its_log_quotes_no_text_and_no_secret(house: House) -> None:
    await said(house, "plain", SPEAKERS[2], "error 400\nsay unlikely-words", stream=False)
    await said(house, "plain", SPEAKERS[0], "say unlikely-words\nfail", stream=True)
    for unlikely in ("unlikely-words", PROVIDER_SECRET, "sk-canary", secret("plain"), "LiteLLM"):
        assert unlikely not in house.server.log
    assert not [line for line in house.server.log.splitlines() if "error" in json.dumps(line).lower()]
