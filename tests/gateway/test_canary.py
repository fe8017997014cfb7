"""Credentials of three kinds, in calls of all kinds: none of them turns up where it has no business."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import zstandard

from tests.gateway.running import (
    ANTHROPIC,
    CHAT,
    EVENT_STREAM,
    IMPORT_DEADLINE,
    JSON,
    START,
    Dialect,
    Exchange,
    House,
    Provider,
    built,
    eventually,
    message,
    patient,
    provider,
    secret,
    text,
)

PASSED_ON = "sk-ant-oat01-canary-of-the-client"
OF_A_PROVIDER = "canary-of-the-provider-"
OF_A_KEY = "secret-of-the-key-"
MISTYPED = "lth_canaryofnobodyatall"
PASSWORD = "a-password-for-the-pages"
CANARIES = [PASSED_ON, OF_A_PROVIDER, OF_A_KEY, MISTYPED, "canary-in-the-query", "canary-in-a-cookie"]


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house of which each provider has a canary for its credential, and that logs all it can."""
    env = {"LUTHIEN_AUTH": "both", "LUTHIEN_LOG_LEVEL": "DEBUG", "DJANGO_SUPERUSER_PASSWORD": PASSWORD}
    with built(tmp_path_factory, "sqlite", **env) as house:
        config = house.config
        test = config["providers"]["odd-chat"]["base_url"]
        config["providers"]["library"] = {"dialect": "litellm", "litellm_provider": "openai", "base_url": test}
        for name, each in config["providers"].items():
            each["api_key"] = OF_A_PROVIDER + name
        config["models"] += [
            {"match": "falls/away", "provider": "odd", "fallback": [{"provider": "odd-chat", "model": "m/second"}]},
            {"match": "library/*", "provider": "library", "model": "m/second"},
        ]
        house.apply(**config)
        house.server.manage("createsuperuser", "--noinput", "--username", "ann", "--email", "ann@example.org")
        yield house


async def answers(exchange: Exchange) -> None:
    """As the model's name says."""
    asked = json.loads(exchange.body)
    what = asked["model"].rpartition("/")[2]
    if what in ("first", "away"):
        await exchange.answer(b'{"type":"error","error":{"type":"overloaded_error","message":"x"}}', JSON, status=529)
    elif what == "wrong":
        await exchange.answer(b'{"error":{"message":"no such key","type":"x"}}', JSON, status=401)
    elif what == "garbled":
        await exchange.answer(b"not JSON at all", JSON)
    elif what == "cut":
        await exchange.head(200, EVENT_STREAM)
        await exchange.send(START + text(0, "half"))
    elif exchange.path.endswith("completions"):
        choice = {"index": 0, "message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        whole = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
        await exchange.answer(json.dumps({**whole, "usage": usage}).encode(), JSON)
    else:
        await exchange.answer(message({"type": "text", "text": "hello"}), JSON)


CREDENTIALS: list[dict[str, str]] = [
    {"x-api-key": secret("plain")},
    {"authorization": f"Bearer {secret('plain')}", "x-api-key": PASSED_ON, "api-key": PASSED_ON},
    {"authorization": f"Bearer {PASSED_ON}", "cookie": "session=canary-in-a-cookie"},
    {"x-api-key": PASSED_ON},
    {"x-api-key": MISTYPED},
    {"x-api-key": secret("plain"), "authorization": f"Bearer {secret('loud')}"},
    {"x-api-key": secret("reader")},
]
KEYS = ["no-requests", "rerouted", "retried", "raises", "no-answers", "raises-on-finish", "hangs-on-requests"]
MODELS = ["second", "first", "wrong", "garbled", "cut"]


async def everything(house: House) -> str:
    """Makes calls of all kinds; what clients were told."""
    told: list[str] = []

    async def call(path: str, body: Any, headers: dict[str, str]) -> httpx.Response:
        made = patient(base_url=house.url, headers=headers)
        async with made, made.stream("POST", path, json=body) as got:
            with suppress(httpx.RemoteProtocolError):
                await got.aread()
        told.append(f"{got.headers} {got.content!r}")
        return got

    async def all_models(dialect: Dialect, headers: dict[str, str], stream: bool) -> None:
        prefix = dialect.odd.removesuffix("first")
        for model in [*(prefix + name for name in MODELS), dialect.falls, "falls/away", "unreachable", "nothing"]:
            await call(dialect.path, dialect.body("x", model=model, stream=stream), headers)

    for headers in CREDENTIALS:
        for dialect in (ANTHROPIC, CHAT):
            await all_models(dialect, headers, stream=dialect is ANTHROPIC)
        await call("/v1/messages/count_tokens?api_key=canary-in-the-query", ANTHROPIC.body("x", model="odd/m"), headers)
        await call("/v1/messages", {"model": 1}, headers)
        async with patient(base_url=house.url, headers=headers) as made:
            told += [(await made.get(path)).text for path in ("/v1/models", "/debug/calls", "/v1/nothing")]
    for key in KEYS:
        await call("/v1/messages", ANTHROPIC.body("x", model="odd/second"), {"x-api-key": secret(key)})

    async def library_answered() -> bool:
        got = await call("/v1/chat/completions", CHAT.body("x", model="library/m"), {"x-api-key": secret("plain")})
        return got.status_code == 200

    await eventually(library_answered, IMPORT_DEADLINE)
    return "\n".join(told)


async def pages(house: House) -> str:
    """All that people see in the console and through the debug API."""
    seen: list[str] = []
    async with visitor(house) as made:

        async def visit(path: str) -> str:
            got = await made.get(path)
            assert got.status_code == 200, (path, got.status_code)
            seen.append(got.text)
            return got.text

        listed = await visit("/calls/")
        calls = sorted(set(re.findall(r"call_[0-9a-f]{32}", listed)))
        assert calls
        for call in calls:
            for path in (
                f"/calls/{call}/",
                f"/calls/{call}/diff/",
                f"/debug/calls/{call}",
                f"/debug/calls/{call}/diff",
            ):
                await visit(path)
        for path in ("/", "/metrics", "/debug/calls?limit=100", "/admin/"):
            await visit(path)
        for model in ("provider", "apikey", "modelroute"):
            rows = re.findall(rf'href="(/admin/gateway/{model}/\d+/change/)', await visit(f"/admin/gateway/{model}/"))
            for row in rows:
                await visit(row)
    return "\n".join(seen)


@asynccontextmanager
async def visitor(house: House) -> AsyncIterator[httpx.AsyncClient]:
    async with patient(base_url=house.url, follow_redirects=True) as made:
        form = (await made.get("/login/")).text
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)
        assert token
        await made.post("/login/", data={"username": "ann", "password": PASSWORD, "csrfmiddlewaretoken": token[1]})
        yield made


def stored(path: Path) -> bytes:
    """Every column of every row, with what is compressed in it."""
    values: list[bytes] = []
    with closing(sqlite3.connect(path)) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for row in database.execute(f"SELECT * FROM {table}"):
                values += [value if isinstance(value, bytes) else str(value).encode() for value in row]
    assert any(value.startswith(zstandard.FRAME_HEADER) for value in values)
    return b"\n".join([*values, *(unpacked for value in values if (unpacked := _unpacked(value)))])


def _unpacked(value: bytes) -> bytes:
    with suppress(zstandard.ZstdError):
        return zstandard.ZstdDecompressor().decompressobj().decompress(value)
    return b""


def found(where: str | bytes) -> list[str]:
    haystack = where if isinstance(where, bytes) else where.encode()
    return [canary for canary in CANARIES if canary.encode() in haystack]


def carried(exchange: Exchange) -> str:
    """The one credential of a request."""
    (credential,) = (value for name, value in exchange.headers if name in ("authorization", "x-api-key"))
    return credential


def test_the_search_would_find_them(tmp_path: Path) -> None:
    path = tmp_path / "some.sqlite3"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE t (a, b)")
        packed = zstandard.compress(f"x{PASSED_ON}".encode())
        database.execute("INSERT INTO t VALUES (?, ?)", (packed, f"{OF_A_KEY}plain"))
        database.commit()
    assert found(stored(path)) == [PASSED_ON, OF_A_KEY]


async def test_credentials_are_seen_by_those_alone_that_they_are_for(watched: House) -> None:
    async with provider(watched, answers) as asked:
        told = await everything(watched)
        seen = await pages(watched)
    assert found(told) == []
    assert found(seen) == []
    assert found(watched.server.manage("export_config")) == []
    assert found(watched.server.log) == []
    assert found(stored(watched.server.data_dir / "luthien.sqlite3")) == []
    for path in watched.server.data_dir.glob("luthien.sqlite3*"):
        assert found(path.read_bytes()) == [], path
    check_upstreams(asked)


def check_upstreams(asked: Provider) -> None:
    """Each request carries one credential, and that of the provider that it is for or the client's own for it."""
    by_path: dict[str, set[str]] = {}
    for exchange in asked.exchanges:
        credential = carried(exchange)
        others = [(name, value) for name, value in exchange.headers if value != credential]
        assert found(repr(others).encode() + exchange.body) == [], exchange.headers
        by_path.setdefault(exchange.path.partition("?")[0], set()).add(credential)
    own = {PASSED_ON, f"Bearer {PASSED_ON}"}
    assert by_path == {
        "/v1/messages": {f"{OF_A_PROVIDER}odd", *own},
        "/v1/messages/count_tokens": {f"{OF_A_PROVIDER}odd", *own},
        "/v1/chat/completions": {f"Bearer {OF_A_PROVIDER}odd-chat", f"Bearer {OF_A_PROVIDER}library", *own},
    }
    elsewhere = [each for each in asked.exchanges if json.loads(each.body)["model"] == "m/second"]
    assert {carried(each) for each in elsewhere} == {
        f"Bearer {OF_A_PROVIDER}{name}" for name in ("odd-chat", "library")
    }
