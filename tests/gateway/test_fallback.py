"""Whom a call asks when a provider cannot answer, each against a real server."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from tests.gateway.running import (
    ANTHROPIC,
    CHAT,
    EVENT_STREAM,
    JSON,
    START,
    STOP,
    USAGE,
    Dialect,
    Exchange,
    House,
    ask,
    both_dialects,
    client,
    message,
    provider,
    streamed_and_not,
    text,
)

ERROR = b'{"type":"error","error":{"type":"overloaded_error","message":"come back"},"of":"%b"}'
CHUNK = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}


def whole_chat(words: str) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", "content": words}, "finish_reason": "stop"}
    return json.dumps({**CHUNK, "object": "chat.completion", "choices": [choice]}).encode()


def streamed_chat(words: str) -> bytes:
    choices = ({"role": "assistant", "content": words}, "stop")
    first = {**CHUNK, "choices": [{"index": 0, "delta": choices[0], "finish_reason": None}]}
    last = {**CHUNK, "choices": [{"index": 0, "delta": {}, "finish_reason": choices[1]}]}
    return b"".join(b"data: %b\n\n" % json.dumps(each).encode() for each in (first, last)) + b"data: [DONE]\n\n"


async def says(exchange: Exchange, words: str) -> None:
    """A good answer in the way that the request asks for."""
    asked = json.loads(exchange.body)
    if exchange.path.endswith("completions"):
        body = streamed_chat(words) if asked.get("stream") else whole_chat(words)
    else:
        body = START + text(0, words) + STOP if asked.get("stream") else message({"type": "text", "text": words})
    await exchange.answer(body, EVENT_STREAM if asked.get("stream") else JSON)


def refusing(**statuses: int) -> Callable[[Exchange], Awaitable[None]]:
    """Answers models with these statuses, and all others by their own name."""

    async def handle(exchange: Exchange) -> None:
        model = json.loads(exchange.body)["model"]
        name = model.rpartition("/")[2]
        if name == "silent":
            await exchange.gone()
        elif name in statuses:
            headers = (JSON, ("retry-after", str(len(name))))
            await exchange.answer(ERROR % name.encode(), *headers, status=statuses[name])
        else:
            await says(exchange, f"I am {model}")

    return handle


async def recorded(house: House, got: httpx.Response) -> Any:
    return await house.record(got.headers["x-luthien-call-id"])


@both_dialects
@streamed_and_not
@pytest.mark.parametrize("status", [429, 500, 529])
async def test_another_provider_answers_for_one_that_cannot(
    house: House, dialect: Dialect, stream: bool, status: int
) -> None:
    async with provider(house, refusing(first=status)) as asked:
        got = await ask(house, "plain", dialect, "x", model=dialect.falls, stream=stream)
    assert got.status_code == 200
    assert "/second" in got.text and "come back" not in got.text
    assert "retry-after" not in got.headers
    assert len(asked.exchanges) == 2
    record = await recorded(house, got)
    assert (record["outcome"], record["status"], record["model"]) == ("finished", 200, dialect.falls)
    assert record["upstream_model"].endswith("/second")
    assert record["changed"] == {"request": False, "response": False}
    first, second = record["attempts"]
    assert first["model"].endswith("/first") and second["model"].endswith("/second")
    assert (first["status"], second["status"], second["error"]) == (status, 200, "")
    assert first["error"] == f"The provider {first['provider']} answered with status {status}."
    assert first["ms"] > 0 and second["ms"] > 0
    assert "/second" in json.dumps(record["request"]["final"])
    assert "/second" in json.dumps(record["response"]["original"])


@pytest.mark.parametrize("model", ["falls/unreachable", "falls/silent"])
@streamed_and_not
async def test_a_provider_that_does_not_answer_at_all_is_replaced(house: House, model: str, stream: bool) -> None:
    async with provider(house, refusing()):
        got = await ask(house, "plain", ANTHROPIC, "x", model=model, stream=stream)
    assert "I am odd/second" in got.text
    first, second = (await recorded(house, got))["attempts"]
    assert first["status"] is None
    assert first["error"].startswith(f"The provider {first['provider']} ")
    assert (second["provider"], second["status"]) == ("odd", 200)


@streamed_and_not
async def test_fallbacks_are_asked_one_after_another_whatever_the_first_one_says(house: House, stream: bool) -> None:
    async with provider(house, refusing(first=503, second=401)) as asked:
        got = await ask(house, "plain", ANTHROPIC, "x", model="falls/odd", stream=stream)
    assert "I am odd/third" in got.text
    assert [json.loads(each.body)["model"] for each in asked.exchanges] == ["odd/first", "odd/second", "odd/third"]
    assert [each["status"] for each in (await recorded(house, got))["attempts"]] == [503, 401, 200]


@both_dialects
@streamed_and_not
async def test_where_nobody_answers_the_clients_own_model_has_the_word(
    house: House, dialect: Dialect, stream: bool
) -> None:
    async with provider(house, refusing(first=529, second=401, third=400)):
        got = await ask(house, "plain", dialect, "x", model=dialect.falls, stream=stream)
    assert (got.status_code, got.content) == (529, ERROR % b"first")
    assert got.headers["retry-after"] == "5"
    record = await recorded(house, got)
    assert (record["outcome"], record["status"]) == ("upstream_error", 529)
    assert [each["status"] for each in record["attempts"]] == [529, 401, 400]
    assert record["upstream_model"].endswith("/first")
    assert record["request"]["final"]["model"].endswith("/first")
    assert record["response"]["original"] == record["response"]["final"] == json.loads(ERROR % b"first")


async def test_where_the_first_was_unreachable_that_is_what_the_client_hears(house: House) -> None:
    async with provider(house, refusing(second=429, third=529)):
        got = await ask(house, "plain", ANTHROPIC, "x", model="falls/unreachable")
    assert got.status_code == 502
    assert "nowhere could not be reached" in got.json()["error"]["message"]
    record = await recorded(house, got)
    assert (record["provider"], record["outcome"]) == ("nowhere", "upstream_error")
    assert record["response"]["original"] is None


@pytest.mark.parametrize("status", [400, 401, 404, 413])
async def test_a_refusal_of_the_request_is_passed_on_and_nobody_else_asked(house: House, status: int) -> None:
    async with provider(house, refusing(first=status)) as asked:
        got = await ask(house, "plain", ANTHROPIC, "x", model="falls/odd")
    assert (got.status_code, got.content) == (status, ERROR % b"first")
    assert len(asked.exchanges) == 1


async def test_an_answer_that_breaks_off_is_not_replaced(house: House) -> None:
    async def half(exchange: Exchange) -> None:
        await exchange.head(200, EVENT_STREAM)
        await exchange.send(START + text(0, "half"))

    async with provider(house, half) as asked:
        got = await ask(house, "plain", ANTHROPIC, "x", model="falls/odd", stream=True)
    assert len(asked.exchanges) == 1
    assert "half" in got.text and "event: error" in got.text
    assert (await recorded(house, got))["outcome"] == "cut"


async def test_tokens_are_counted_by_the_models_own_provider_alone(house: House) -> None:
    async with provider(house, refusing(first=529)) as asked, client(house) as made:
        got = await made.post("/v1/messages/count_tokens", json=ANTHROPIC.body("x") | {"model": "falls/odd"})
    assert got.status_code == 529
    assert len(asked.exchanges) == 1


@streamed_and_not
async def test_policies_of_the_fallbacks_model_join(house: House, stream: bool) -> None:
    async with provider(house, refusing(first=529)):
        got = await ask(house, "fallen-back", ANTHROPIC, "x", model="falls/odd", stream=stream)
    assert "I AM ODD/SECOND" in got.text
    assert got.headers["x-luthien-policies"] == "fallen-back-0@1"
    assert (await recorded(house, got))["changed"] == {"request": False, "response": True}


async def test_a_policy_that_joins_may_keep_the_request_from_the_fallback(house: House) -> None:
    async with provider(house, refusing(first=529, second=529)) as asked:
        got = await ask(house, "fallen-back", ANTHROPIC, "x", model="falls/odd")
    assert got.status_code == 200
    assert "fallen-back-1" in got.json()["content"][0]["text"]
    assert len(asked.exchanges) == 2
    assert (await recorded(house, got))["outcome"] == "blocked"


@streamed_and_not
async def test_a_fallback_that_the_key_may_not_use_is_left_out(house: House, stream: bool) -> None:
    async with provider(house, refusing(first=529)) as asked:
        got = await ask(house, "kept-to-the-third", ANTHROPIC, "x", model="falls/odd", stream=stream)
    assert "I am odd/third" in got.text
    assert len(asked.exchanges) == 2
    (note,) = (await recorded(house, got))["notes"]
    assert note["text"] == "odd/second was not asked: kept-to-the-third-0 keeps this key from it"


async def test_where_the_key_may_use_no_fallback_the_client_hears_its_own_provider(house: House) -> None:
    async with provider(house, refusing(first=529, third=529)) as asked:
        got = await ask(house, "kept-to-the-third", ANTHROPIC, "x", model="falls/odd")
    assert (got.status_code, got.headers["retry-after"]) == (529, "5")
    assert len(asked.exchanges) == 2


@streamed_and_not
async def test_no_policy_sends_a_call_to_a_model_that_the_key_may_not_use(house: House, stream: bool) -> None:
    async with provider(house, refusing()) as asked:
        got = await ask(house, "kept-from-a-detour", ANTHROPIC, "x", model="odd/first", stream=stream)
        again = await ask(house, "kept-from-another-answer", ANTHROPIC, "x", model="odd/first", stream=stream)
    assert got.status_code == 403
    assert "kept-from-a-detour-0 refused this request: this key may not use odd/other" in got.text
    assert "kept-from-another-answer-0 refused this request" in again.text and "odd/other" in again.text
    assert "I am" not in got.text + again.text
    assert len(asked.exchanges) == 1


@streamed_and_not
async def test_every_answer_of_a_call_is_in_its_usage(house: House, stream: bool) -> None:
    async with provider(house, refusing()):
        once = await recorded(house, await ask(house, "plain", ANTHROPIC, "x", model="odd/first", stream=stream))
        twice = await recorded(house, await ask(house, "retried", ANTHROPIC, "x", model="odd/first", stream=stream))
    assert once["usage"]["input_tokens"] == USAGE["input_tokens"]
    counted = [name for name in once["usage"] if name.endswith("tokens")]
    assert {name: twice["usage"][name] for name in counted} == {name: 2 * once["usage"][name] for name in counted}


@streamed_and_not
async def test_an_answer_that_a_policy_wants_may_come_from_a_fallback(house: House, stream: bool) -> None:
    async with provider(house, refusing(first=529, other=529)):
        got = await ask(house, "retried", ANTHROPIC, "x", model="falls/odd", stream=stream)
    assert got.status_code == (200 if stream else 529)
    statuses = [each["status"] for each in (await recorded(house, got))["attempts"]]
    assert statuses == [529, 200, 529]


@pytest.mark.parametrize("dialect", [CHAT], ids=["openai_chat"])
async def test_a_whole_answer_of_a_fallback_is_passed_byte_for_byte(house: House, dialect: Dialect) -> None:
    async with provider(house, refusing(first=529)):
        got = await ask(house, "plain", dialect, "x", model=dialect.falls)
    assert got.content == whole_chat("I am oddchat/second")


@both_dialects
@streamed_and_not
@pytest.mark.parametrize("model", ["falls/far", "falls/near"])
async def test_a_fallback_may_speak_another_dialect(house: House, dialect: Dialect, stream: bool, model: str) -> None:
    async with provider(house, refusing(first=529)):
        got = await ask(house, "plain", dialect, "x", model=model, stream=stream)
    assert got.status_code == 200
    assert "/second" in got.text
    record = await recorded(house, got)
    assert record["outcome"] == "finished"
    assert [each["status"] for each in record["attempts"]] == [529, 200]


@both_dialects
@streamed_and_not
@pytest.mark.parametrize("model", ["falls/far", "falls/near"])
async def test_the_first_ones_error_is_told_in_the_clients_dialect(
    house: House, dialect: Dialect, stream: bool, model: str
) -> None:
    async with provider(house, refusing(first=529, second=401, third=503)):
        got = await ask(house, "plain", dialect, "x", model=model, stream=stream)
    assert got.headers["retry-after"] == "5"
    assert "come back" in got.json()["error"]["message"]
    translated = (model == "falls/far") == (dialect is CHAT)
    assert (got.content == ERROR % b"first") is not translated
    assert not translated or ("code" in got.json()["error"]) is (dialect is CHAT)
    record = await recorded(house, got)
    assert (record["outcome"], record["upstream_model"].rpartition("/")[2]) == ("upstream_error", "first")
    assert [each["status"] for each in record["attempts"]] == [529, 401, 503]
