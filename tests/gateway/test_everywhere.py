"""Two gateways on one PostgreSQL: a change is in force in both, not on calls in flight, and outlives the database."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import pytest

from tests.gateway.running import (
    ANTHROPIC,
    EVENT_STREAM,
    PROVIDER_SECRET,
    START,
    STOP,
    Exchange,
    House,
    Json,
    ask,
    client,
    eventually,
    provider,
    secret,
    text,
)
from tests.plugins.live import LiveLuthien, end
from tests.plugins.servers import Postgres, free_port

LOUD: Json = {"name": "loud", "policy": "uppercase"}
EVERY_SECOND: Json = {**LOUD, "policy": "uppercase_nth_word", "config": {"n": 2}}


@dataclass
class Pair:
    """Two gateways, and their database, which can be stopped."""

    database: Postgres
    houses: tuple[House, House]
    in_force: Json

    async def put_in_force(self, policy: Json) -> None:
        """Alone."""
        if policy != self.in_force:
            self.in_force = policy
            await asyncio.to_thread(self.houses[0].apply, policies=[policy])

    async def agree(self, answer: str) -> list[httpx.Response]:
        """Returns once each gateway answers `one two` with `answer`."""

        async def told(house: House) -> httpx.Response:
            async def answered() -> httpx.Response | None:
                response = await asked(house)
                return response if said(response) == answer else None

            response: httpx.Response = await eventually(answered)
            return response

        return list(await asyncio.gather(*map(told, self.houses)))

    async def verdicts(self, call_id: str) -> set[tuple[str, str]]:
        """Policy and action of what is on record; the first gateway tells it of both."""
        record = await self.houses[0].record(call_id)
        return {(row["policy"], row["action"]) for row in record["verdicts"]}

    async def log(self, message: str) -> None:
        """Returns once each gateway has logged `message`."""

        async def logged() -> bool:
            return all(message in house.server.log for house in self.houses)

        await eventually(logged)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    database, port = Postgres(), free_port()
    servers: list[LiveLuthien] = []
    try:
        for _ in range(2):
            folder = tmp_path_factory.mktemp("gateway")
            folder.chmod(0o700)
            servers.append(LiveLuthien(folder, {"DATABASE_URL": database.url("postgres"), "REDIS_URL": ""}))
        servers[0].manage("migrate", "--verbosity", "0")
        config = configuration(port)
        first, second = (House(server, "", port, config) for server in servers)
        first.apply(**config)
        # A server ends with the thread that started it.
        with ThreadPoolExecutor() as threads:
            list(threads.map(LiveLuthien.start, servers))
            yield Pair(database, (first, second), LOUD)
    finally:
        for server in servers:
            end(server)
        database.stop()


def configuration(port: int) -> Json:
    odd = {"dialect": "anthropic", "base_url": f"http://127.0.0.1:{port}", "api_key": PROVIDER_SECRET}
    return {
        "providers": {"demo": {"dialect": "demo"}, "odd": odd},
        "models": [{"match": "demo/*", "provider": "demo"}, {"match": "odd/*", "provider": "odd"}],
        "keys": [
            {"name": "plain", "key": secret("plain")},
            {"name": "reader", "key": secret("reader"), "read": True, "call": False},
        ],
        "policies": [LOUD],
    }


async def asked(house: House) -> httpx.Response:
    return await ask(house, "plain", ANTHROPIC, "one two", model="demo/echo")


def said(response: httpx.Response) -> str:
    assert response.status_code == 200, response.text
    words: str = response.json()["content"][0]["text"]
    return words


@asynccontextmanager
async def begun(house: House) -> AsyncIterator[tuple[str, AsyncIterator[str]]]:
    """A streamed call of which the first word is here: its id, and the words to come."""
    body = ANTHROPIC.body("go", model="odd/first", stream=True)
    async with client(house, "plain") as made, made.stream("POST", ANTHROPIC.path, json=body) as response:
        words = texts(response.aiter_lines())
        assert await anext(words) == "before "
        yield response.headers["x-luthien-call-id"], words


async def texts(lines: AsyncIterator[str]) -> AsyncIterator[str]:
    async for line in lines:
        event = json.loads(line[6:]) if line.startswith("data: ") else {}
        if event.get("type") == "content_block_delta":
            yield event["delta"]["text"]


async def test_a_change_is_in_force_in_every_gateway(pair: Pair) -> None:
    await pair.put_in_force(LOUD)
    first, second = await pair.agree("ONE TWO")
    assert first.headers["x-luthien-policies"] == second.headers["x-luthien-policies"]
    await pair.put_in_force(EVERY_SECOND)
    for response in await pair.agree("one TWO"):
        assert response.headers["x-luthien-policies"] == first.headers["x-luthien-policies"].replace("@1", "@2")


async def test_a_call_in_flight_ends_on_what_it_began_with(pair: Pair) -> None:
    go_on = asyncio.Event()

    async def in_two_parts(exchange: Exchange) -> None:
        await exchange.head(200, EVENT_STREAM)
        whole = text(0, "before ", "after ", "then")
        at = whole.index(b"event: content_block_delta", whole.index(b"before"))
        await exchange.send(START + whole[:at])
        await go_on.wait()
        await exchange.send(whole[at:] + STOP)
        await exchange.end()

    await pair.put_in_force(EVERY_SECOND)
    await pair.agree("one TWO")
    first, second = pair.houses
    async with provider(first, in_two_parts), begun(first) as one, begun(second) as other:
        await pair.put_in_force(LOUD)
        await pair.agree("ONE TWO")
        go_on.set()
        for call_id, words in (one, other):
            assert [word async for word in words] == ["AFTER ", "then"]
            assert await pair.verdicts(call_id) == {("loud", "replace")}


async def test_without_their_database_all_keep_what_was_in_force(pair: Pair) -> None:
    await pair.put_in_force(LOUD)
    (named, _) = [response.headers["x-luthien-policies"] for response in await pair.agree("ONE TWO")]
    pair.database.halt()
    try:
        at_once = [await asked(house) for house in pair.houses]
        await pair.log("The database cannot be read")
        later = [await asked(house) for house in pair.houses]
    finally:
        pair.database.serve()
    assert {said(response) for response in (*at_once, *later)} == {"ONE TWO"}
    assert {response.headers["x-luthien-policies"] for response in (*at_once, *later)} == {named}
    await pair.log("The database can be read again")
    for response in (*at_once, *later):
        assert await pair.verdicts(response.headers["x-luthien-call-id"]) == {("loud", "replace")}
    await pair.put_in_force(EVERY_SECOND)
    await pair.agree("one TWO")
