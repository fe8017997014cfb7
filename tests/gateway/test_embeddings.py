"""`/v1/embeddings` against a real server: judged as a request, passed on as it is."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from gateway.upstreams.demo.embeddings import vector
from tests.gateway.running import JSON, Exchange, House, client, provider


async def embed(house: House, key: str, given: Any, model: str = "embed", **more: Any) -> httpx.Response:
    async with client(house, key) as made:
        return await made.post("/v1/embeddings", json={"model": model, "input": given, **more})


def vectors(got: httpx.Response) -> list[list[float]]:
    return [entry["embedding"] for entry in got.json()["data"]]


async def test_vectors_come_from_the_model_and_the_call_is_on_record(house: House) -> None:
    got = await embed(house, "plain", ["one two", "three"])
    assert vectors(got) == [vector("one two"), vector("three")]
    record = await house.record(got.headers["x-luthien-call-id"])
    assert (record["outcome"], record["dialect"], record["session"]) == ("finished", "openai_embeddings", "")
    assert record["usage"]["input_tokens"] == 3
    assert record["response"]["final"] == got.json()


async def test_bytes_pass_as_they_are(house: House) -> None:
    odd = b'{ "object":"list", "data":[{"embedding":[1e0, 2],"later":1}],  "usage":{"prompt_tokens":4} }'

    async def answer(exchange: Exchange) -> None:
        await exchange.answer(odd, JSON)

    body = b'{ "model" : "odd-embed", "input":"x",  "later":[1e0] }'
    async with provider(house, answer) as asked, client(house) as made:
        got = await made.post("/v1/embeddings", content=body, headers={"content-type": "application/json"})
    assert (got.content, asked.exchanges[0].body, asked.exchanges[0].path) == (odd, body, "/v1/embeddings")


async def test_request_policies_rewrite_the_texts(house: House) -> None:
    assert vectors(await embed(house, "adds", ["one", "two"])) == [vector("one and more"), vector("two and more")]


@pytest.mark.parametrize("key", ["no-requests", "answered"])
async def test_what_a_policy_blocks_does_not_reach_the_provider(house: House, key: str) -> None:
    got = await embed(house, key, "secret")
    assert got.status_code == 400
    assert got.headers["x-should-retry"] == "false"
    record = await house.record(got.headers["x-luthien-call-id"])
    assert (record["outcome"], record["attempts"]) == ("blocked", [])


async def test_token_ids_pass_only_where_no_policy_has_to_read_them(house: House) -> None:
    assert (await embed(house, "plain", [1, 2])).status_code == 200
    assert (await embed(house, "shadowed", [1, 2])).status_code == 200
    got = await embed(house, "adds", [1, 2])
    assert got.status_code == 400
    assert got.json()["error"]["message"] == "A policy has to read this input: send text, not token ids."
    assert got.json()["error"]["param"] == "input"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"no", 400),
        (b"[]", 400),
        (b'{"model":"embed"}', 400),
        (b'{"input":"x"}', 400),
        (b'{"model":"embed","input":"x","input":"y"}', 400),
        (b'{"model":"nobody","input":"x"}', 404),
        (b'{"model":"odd/first","input":"x"}', 404),
    ],
)
async def test_what_cannot_be_used_is_refused_in_openais_words(house: House, body: bytes, status: int) -> None:
    async with client(house) as made:
        got = await made.post("/v1/embeddings", content=body)
    assert got.status_code == status
    assert got.json()["error"]["type"] == "invalid_request_error"
