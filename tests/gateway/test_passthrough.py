"""Callers who bring their own credential: who counts as one, and where the credential goes, against a real server."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from pytest_django.fixtures import Settings

from gateway import secrets
from gateway.directory import Client, Directory
from gateway.errors import Unauthenticated
from gateway.passthrough import find_caller
from policies.active import ActiveSet
from tests.gateway.running import (
    ANTHROPIC,
    CHAT,
    JSON,
    PROVIDER_SECRET,
    Dialect,
    Exchange,
    House,
    both_dialects,
    built,
    message,
    patient,
    provider,
    secret,
)
from tests.plugins.services import DATABASE

OURS, THEIRS, BROUGHT = secrets.new_key(), "sk-ant-oat01-theirs", "brought-along-by-a-team"
TOKEN = f"Bearer {THEIRS}"


@pytest.fixture(params=["both", "passthrough"])
def mode(request: pytest.FixtureRequest, settings: Settings) -> str:
    settings.LUTHIEN_AUTH = request.param
    return str(request.param)


def found(**headers: str) -> Client | None:
    key = Client("k", "", can_call=True, can_read=False, id=1)
    directory = Directory.of(1, ActiveSet(), {secrets.digest(BROUGHT): key}, [])
    return find_caller({name.replace("_", "-"): value for name, value in headers.items()}, directory)


@pytest.mark.usefixtures("mode")
@pytest.mark.parametrize(
    ("headers", "credential"),
    [
        ({"authorization": TOKEN}, ("authorization", TOKEN)),
        ({"authorization": f" bearer  {THEIRS} "}, ("authorization", TOKEN)),
        ({"x_api_key": THEIRS}, ("x-api-key", THEIRS)),
    ],
)
def test_a_credential_that_is_not_ours_names_its_caller(headers: dict[str, str], credential: tuple[str, str]) -> None:
    caller = found(**headers)
    assert caller is not None
    assert caller.credential == credential
    assert (caller.team, caller.can_call, caller.can_read) == ("passthrough", True, False)
    assert caller.key == f"passthrough:{secrets.fingerprint(THEIRS)}"
    assert THEIRS not in repr(caller) + caller.key


@pytest.mark.parametrize("key", [OURS, f"{OURS}x", BROUGHT], ids=["ours", "mistyped", "brought"])
def test_a_key_of_ours_is_never_passed_on(mode: str, key: str) -> None:
    if mode == "both":
        assert found(x_api_key=key) is None
        assert found(x_api_key=key, authorization=TOKEN) is None
    else:
        with pytest.raises(Unauthenticated, match="your own provider's"):
            found(x_api_key=key)
        caller = found(x_api_key=key, authorization=TOKEN)
        assert caller is not None and caller.credential == ("authorization", TOKEN)


def test_nobody_is_guessed_at(mode: str) -> None:
    with pytest.raises(Unauthenticated, match="Two credentials"):
        found(x_api_key="sk-one", authorization=TOKEN)
    if mode == "both":
        assert found() is None
    else:
        with pytest.raises(Unauthenticated, match="your own provider's"):
            found(authorization="Basic abc")


@pytest.fixture(scope="module")
def open_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with built(tmp_path_factory, os.environ[DATABASE], LUTHIEN_AUTH="both") as made:
        yield made


@asynccontextmanager
async def caller(house: House, **headers: str) -> AsyncIterator[httpx.AsyncClient]:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    async with patient(base_url=house.url, headers=given) as made:
        yield made


async def hello(exchange: Exchange) -> None:
    if exchange.path.endswith("completions"):
        choice = {"index": 0, "message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}
        await exchange.answer(json.dumps({"id": "c", "model": "m", "choices": [choice]}).encode(), JSON)
    else:
        await exchange.answer(message({"type": "text", "text": "hello"}), JSON)


async def asked_by(house: House, dialect: Dialect, model: str, **headers: str) -> httpx.Response:
    async with caller(house, **headers) as made:
        return await made.post(dialect.path, json=dialect.body("x", model=model))


@both_dialects
async def test_the_clients_own_credential_goes_to_the_provider_in_place_of_ours(
    open_house: House, dialect: Dialect
) -> None:
    async with provider(open_house, hello) as asked:
        got = await asked_by(open_house, dialect, dialect.odd, authorization=TOKEN, anthropic_beta="oauth-2025-04-20")
    assert got.status_code == 200
    (exchange,) = asked.exchanges
    assert exchange.header("authorization") == [TOKEN]
    assert exchange.header("x-api-key") == []
    assert exchange.header("anthropic-beta") == ["oauth-2025-04-20"]
    record = await open_house.record(got.headers["x-luthien-call-id"])
    assert record["key"].startswith("passthrough:") and len(record["key"]) == len("passthrough:") + 16
    assert record["team"] == "passthrough"
    assert THEIRS not in json.dumps(record)


async def test_the_same_credential_is_the_same_caller_and_another_is_another(open_house: House) -> None:
    async with provider(open_house, hello):
        keys = []
        for own in ({"x_api_key": THEIRS}, {"authorization": TOKEN}, {"x_api_key": "sk-another"}):
            got = await asked_by(open_house, ANTHROPIC, "odd/first", **own)
            keys.append((await open_house.record(got.headers["x-luthien-call-id"]))["key"])
    assert keys[0] == keys[1] != keys[2]


async def test_a_key_of_ours_is_asked_for_with_our_credential_whatever_stands_beside_it(open_house: House) -> None:
    async with provider(open_house, hello) as asked:
        got = await asked_by(open_house, ANTHROPIC, "odd/first", x_api_key=secret("plain"), authorization=TOKEN)
    assert got.status_code == 200
    assert asked.exchanges[0].header("x-api-key") == [PROVIDER_SECRET]
    assert asked.exchanges[0].header("authorization") == []


@both_dialects
async def test_it_reaches_no_provider_that_is_not_marked_for_it(open_house: House, dialect: Dialect) -> None:
    got = await asked_by(open_house, dialect, dialect.model, authorization=TOKEN)
    assert got.status_code == 403
    assert "takes no credential of your own" in got.json()["error"]["message"]
    record = await open_house.record(got.headers["x-luthien-call-id"])
    assert (record["outcome"], record["attempts"]) == ("refused", [])


async def overloaded(exchange: Exchange) -> None:
    await exchange.answer(b'{"type":"error","error":{"type":"overloaded_error","message":"x"}}', JSON, status=529)


async def test_it_goes_to_no_fallback(open_house: House) -> None:
    async with provider(open_house, overloaded) as asked:
        got = await asked_by(open_house, ANTHROPIC, "falls/odd", authorization=TOKEN)
    assert got.status_code == 529
    assert len(asked.exchanges) == 1


async def test_only_models_that_it_may_use_are_listed(open_house: House) -> None:
    async def listed(**headers: str) -> set[str]:
        async with caller(open_house, **headers) as made:
            return {model["id"] for model in (await made.get("/v1/models")).json()["data"]}

    theirs, ours = await listed(authorization=TOKEN), await listed(x_api_key=secret("plain"))
    assert {"falls/odd", "falls/oddchat"} <= theirs
    assert {"unreachable", "falls/unreachable", "chat/script"} <= ours - theirs


async def test_it_reads_no_record(open_house: House) -> None:
    async with caller(open_house, authorization=TOKEN) as made:
        assert (await made.get("/debug/calls")).status_code == 401


async def test_a_mistyped_key_of_ours_is_not_passed_on(open_house: House) -> None:
    async with provider(open_house, hello) as asked:
        got = await asked_by(open_house, CHAT, "oddchat/first", authorization=f"Bearer {OURS}x")
    assert got.status_code == 401
    assert "mistyped" in got.json()["error"]["message"]
    assert asked.exchanges == []


async def test_two_credentials_of_the_clients_own_are_refused_in_its_dialect(open_house: House) -> None:
    got = await asked_by(open_house, ANTHROPIC, "odd/first", authorization=TOKEN, x_api_key="sk-another")
    body: Any = got.json()
    assert (got.status_code, body["error"]["type"]) == (401, "authentication_error")
    assert THEIRS not in got.text
