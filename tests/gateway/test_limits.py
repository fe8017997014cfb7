"""Limits, as a client of a real server meets them, in each dialect."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest

from gateway import directory, prices, pricing
from gateway.once import Once
from policies.content import Usage
from tests.gateway.running import (
    EVENT_STREAM,
    JSON,
    START,
    Exchange,
    House,
    Json,
    built,
    client,
    eventually,
    message,
    patient,
    provider,
    secret,
    text,
)
from tests.plugins.live import LiveLuthien, end
from tests.plugins.servers import free_port
from tests.plugins.services import valkey_address


@dataclass
class Spoken:
    path: str
    model: str
    messages: str
    most: str
    error: str

    def body(self, content: str, **more: Any) -> Json:
        return {"model": self.model, self.most: 900, self.messages: [{"role": "user", "content": content}]} | more


ANTHROPIC = Spoken("/v1/messages", "demo/script", "messages", "max_tokens", "rate_limit_error")
CHAT = Spoken("/v1/chat/completions", "chat/script", "messages", "max_tokens", "rate_limit_error")
RESPONSES = Spoken("/v1/responses", "chat/script", "input", "max_output_tokens", "rate_limit_error")
each_dialect = pytest.mark.parametrize("spoken", [ANTHROPIC, CHAT, RESPONSES], ids=lambda spoken: spoken.path[4:])
streamed_and_not = pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])


async def ask(house: House, key: str, spoken: Spoken, content: str = "say hello", **how: Any) -> httpx.Response:
    headers = {"x-session-id": how.pop("session", spoken.path)}
    async with client(house, key) as made:
        return await made.post(spoken.path, json=spoken.body(content, **how), headers=headers)


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house that counts in a real Valkey."""
    with built(tmp_path_factory, "sqlite", REDIS_URL=valkey_address()) as made:
        yield made


@pytest.fixture(params=["alone", pytest.param("with Valkey", marks=pytest.mark.xdist_group("limits with Valkey"))])
def any_house(request: pytest.FixtureRequest) -> House:
    made: House = request.getfixturevalue("house" if request.param == "alone" else "counted")
    return made


@each_dialect
@streamed_and_not
async def test_over_the_limit_clients_get_their_dialects_429(any_house: House, spoken: Spoken, stream: bool) -> None:
    session = f"429 {spoken.path} {stream}"
    got = [await ask(any_house, "rate-limited", spoken, session=session, stream=stream) for _ in range(3)]
    assert [each.status_code for each in got] == [200, 200, 429]
    error = got[-1].json()["error"]
    assert error["type"] == spoken.error
    assert error["message"].endswith("refused this request: more than 2 requests a hour for this session")
    assert 0 < int(got[-1].headers["retry-after"]) <= 3900
    assert got[-1].headers["x-should-retry"] == "false"  # nobody waits an hour
    record = await any_house.record(got[-1].headers["x-luthien-call-id"])
    assert (record["outcome"], record["attempts"]) == ("refused", [])


async def test_no_more_calls_begin_than_may_however_many_come_at_once(any_house: House) -> None:
    got = await asyncio.gather(*(ask(any_house, "rate-limited", CHAT, session="at once") for _ in range(8)))
    assert sorted(each.status_code for each in got) == [200] * 2 + [429] * 6


async def test_a_shadow_counts_for_itself_and_refuses_nobody(house: House) -> None:
    got = await ask(house, "rate-limited-in-shadow", ANTHROPIC, session="shadow")
    assert got.status_code == 200

    async def judged() -> list[Json]:
        record = await house.record(got.headers["x-luthien-call-id"])
        return [verdict for verdict in record["verdicts"] if verdict["mode"] == "shadow"]

    ((verdict,), again) = (
        await eventually(judged),
        await ask(house, "rate-limited-in-shadow", ANTHROPIC, session="shadow"),
    )
    assert verdict["action"] == "refuse"
    assert again.status_code == 429


@streamed_and_not
async def test_tokens_are_those_that_the_provider_counts(house: House, stream: bool) -> None:
    """Of 2000 tokens each call sets some 910 aside, and uses a few: more than two have room, one after the other."""
    session = f"few tokens {stream}"
    got = [await ask(house, "tokens-limited", ANTHROPIC, session=session, stream=stream) for _ in range(4)]
    assert [each.status_code for each in got] == [200] * 4


async def test_who_leaves_before_the_end_gets_nothing_back(house: House) -> None:
    """Two that leave take all the room there is."""

    async def begin(exchange: Exchange) -> None:
        await exchange.head(200, EVENT_STREAM)
        await exchange.send(START + text(0, "Hello"))
        await exchange.gone()

    headers = {"x-session-id": "leaves"}
    body = ANTHROPIC.body("say hello", model="odd/first", stream=True)
    async with provider(house, begin), client(house, "tokens-limited") as made:
        for _ in range(2):
            async with made.stream("POST", "/v1/messages", json=body, headers=headers) as got:
                assert got.status_code == 200
                await anext(got.aiter_raw())
            await house.record(got.headers["x-luthien-call-id"])

        async def refused() -> bool:
            body = ANTHROPIC.body("say hello", stream=False)
            return (await made.post("/v1/messages", json=body, headers=headers)).status_code == 429

        assert await eventually(refused)


async def test_what_a_provider_refuses_is_given_back(house: House) -> None:
    for _ in range(4):
        got = await ask(house, "tokens-limited", ANTHROPIC, "error 500", session="errors")
        assert got.status_code == 500


async def test_a_count_of_tokens_takes_nothing(house: House) -> None:
    for _ in range(3):
        async with client(house, "rate-limited") as made:
            body = {"model": "demo/script", "messages": [{"role": "user", "content": "count me"}]}
            assert (await made.post("/v1/messages/count_tokens", json=body)).status_code == 200


@each_dialect
async def test_no_budget_pays_for_what_has_no_price(house: House, spoken: Spoken) -> None:
    got = await ask(house, "broke", spoken)
    assert got.status_code == 403
    assert "no price of this model is known" in got.json()["error"]["message"]


async def test_a_budget_is_spent_by_what_calls_cost(house: House) -> None:
    """The model costs a dollar a million tokens in, and 5 a million out."""
    usage = {"input_tokens": 40_000, "output_tokens": 8}

    async def answer(exchange: Exchange) -> None:
        body = json.loads(message({"type": "text", "text": "Done."}))
        await exchange.answer(json.dumps({**body, "usage": usage}).encode(), JSON)

    async with provider(house, answer):
        got = [await ask(house, "budgeted", ANTHROPIC, model="priced") for _ in range(2)]
        assert [each.status_code for each in got] == [200, 200]

        async def spent() -> httpx.Response | None:
            again = await ask(house, "budgeted", ANTHROPIC, model="priced")
            return again if again.status_code == 429 else None

        refused = await eventually(spent)
    assert "the budget of $0.05 a day" in refused.json()["error"]["message"]
    assert (refused.headers["x-should-retry"], int(refused.headers["retry-after"]) > 0) == ("false", True)


@each_dialect
async def test_a_request_that_is_too_long_is_refused_in_words_that_clients_know(house: House, spoken: Spoken) -> None:
    got = await ask(house, "short", spoken, "say " + "much " * 200)
    error = got.json()["error"]
    assert got.status_code == 400
    if spoken is ANTHROPIC:
        assert error["type"] == "invalid_request_error"
        assert error["message"].startswith("prompt is too long: ")
    else:
        assert error["code"] == "context_length_exceeded"


@pytest.mark.parametrize("spoken", [ANTHROPIC, CHAT], ids=["anthropic", "chat"])
async def test_an_answer_that_may_get_too_long_is_limited(house: House, spoken: Spoken) -> None:
    asked: list[Json] = []

    async def answer(exchange: Exchange) -> None:
        asked.append(json.loads(exchange.body))
        await exchange.answer(b"{}", JSON, status=400)

    async with provider(house, answer):
        await ask(house, "short", spoken, model="odd/first" if spoken is ANTHROPIC else "oddchat/first")
    assert asked[0]["max_tokens"] == 50


@each_dialect
async def test_who_may_not_use_a_model_is_told_so(house: House, spoken: Spoken) -> None:
    assert (await ask(house, "narrow", spoken)).status_code == 200
    got = await ask(house, "narrow", spoken, model="odd/first")
    assert got.status_code == 403
    assert got.json()["error"]["type"] == ("permission_error" if spoken is ANTHROPIC else "invalid_request_error")


async def test_what_may_not_be_used_is_not_listed(house: House) -> None:
    async def listed(key: str) -> set[str]:
        async with client(house, key) as made:
            return {model["id"] for model in (await made.get("/v1/models")).json()["data"]}

    assert "chat/script" in await listed("narrow")
    assert "priced" not in await listed("narrow")
    assert "priced" in await listed("plain")


async def test_a_rule_sends_a_call_to_another_model(house: House) -> None:
    asked: list[str] = []

    async def answer(exchange: Exchange) -> None:
        asked.append(json.loads(exchange.body)["model"])
        await exchange.answer(message({"type": "text", "text": "Hi."}), JSON)

    async with provider(house, answer):
        await ask(house, "detoured", ANTHROPIC, model="odd/first")
        await ask(house, "detoured", ANTHROPIC, model="odd/second")
    assert asked == ["odd/other", "odd/second"]


@pytest.fixture(scope="module")
def cut_off(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house whose Redis is away."""
    with built(tmp_path_factory, "sqlite", REDIS_URL=f"redis://127.0.0.1:{free_port()}/0") as made:
        yield made


async def test_with_redis_away_the_policy_has_failed(cut_off: House) -> None:
    got = await ask(cut_off, "rate-limited", ANTHROPIC)
    assert "the policy failed" in got.json()["content"][0]["text"]
    record = await cut_off.record(got.headers["x-luthien-call-id"])
    assert [(verdict["action"], verdict["reason"]) for verdict in record["verdicts"]] == [
        ("failed_closed", "raised CountersUnavailable")
    ]


async def test_processes_that_count_apart_say_so(tmp_path_factory: pytest.TempPathFactory) -> None:
    with built(tmp_path_factory, "sqlite") as apart:
        other = LiveLuthien(apart.server.data_dir, apart.server.env)
        try:
            other.start()
            async with patient(base_url=other.url, headers={"x-api-key": secret("rate-limited")}) as made:
                assert "warnings" not in (await made.get("/ready")).json()

                async def warned() -> Any:
                    headers = {"x-session-id": uuid4().hex}
                    got = await made.post("/v1/messages", json=ANTHROPIC.body("say hello"), headers=headers)
                    assert got.status_code == 200
                    return (await made.get("/ready")).json().get("warnings")

                (warning,) = await eventually(warned)
            assert warning.startswith("limits are counted apart from")
            assert "Limits are counted by each of" in other.log
        finally:
            end(other)


async def test_a_price_is_that_of_the_model_as_its_provider_knows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class Known:
        def target(self, model: str) -> Any:
            return type("T", (), {"model": "claude-haiku-4-5"}) if model == "priced" else None

    async def current() -> Known:
        return Known()

    monkeypatch.setattr(directory, "current", current)
    monkeypatch.setattr(prices, "_table", None)
    monkeypatch.setattr(prices, "_loading", Once("prices", prices.load))
    assert await pricing.price("priced", Usage(100_000)) == 100_000
    assert await pricing.price("unknown", Usage(1)) is None
