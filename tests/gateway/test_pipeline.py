"""Nothing is released before it is on record, and what is in force changes between calls and never within one."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from typing import Any

import httpx
import pytest

from tests.gateway.running import (
    ANTHROPIC,
    CHAT,
    EVENT_STREAM,
    INSTALLED,
    START,
    STOP,
    Exchange,
    House,
    ask,
    built,
    client,
    eventually,
    furnish,
    patient,
    provider,
    secret,
    text,
    tool,
)
from tests.plugins.live import LiveLuthien
from tests.plugins.servers import Postgres

RM = 'tool bash {"command": "rm -rf /"}'
TOOL = tool(1, "bash", {"command": "ls"})


@pytest.fixture(scope="module")
def sqlite_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Its database can be kept busy by a test, and its server be killed; a test leaves it running."""
    with built(tmp_path_factory, "sqlite") as made:
        yield made


@contextmanager
def locked(house: House) -> Iterator[None]:
    """The database, kept by somebody else in the middle of a write."""
    with closing(sqlite3.connect(house.server.data_dir / "luthien.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


class Arriving:
    """The bytes of a streamed answer, as far as they have come."""

    def __init__(self, call: str) -> None:
        self.call = call
        self.seen = b""
        self.over = False

    async def read(self, response: httpx.Response) -> None:
        async for chunk in response.aiter_raw():
            self.seen += chunk
        self.over = True

    async def has(self, wanted: bytes) -> None:
        async def there() -> bool:
            return wanted in self.seen

        await eventually(there)


@asynccontextmanager
async def arriving(house: House, key: str, model: str) -> AsyncIterator[Arriving]:
    async with client(house, key) as made:
        body = {**ANTHROPIC.body("x", stream=True), "model": model}
        async with made.stream("POST", "/v1/messages", json=body) as response:
            answer = Arriving(response.headers["x-luthien-call-id"])
            reading = asyncio.create_task(answer.read(response))
            yield answer
            await reading


async def never(coming: Coroutine[Any, Any, None]) -> None:
    """Watches for something that must not come, as long as it takes many times over where nothing stops it."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await coming


async def done(asking: asyncio.Task[httpx.Response]) -> None:
    await asyncio.shield(asking)


@pytest.mark.parametrize("key", ["plain", "guarded"])
async def test_a_tool_call_and_the_end_reach_the_client_only_once_they_are_on_record(
    sqlite_house: House, key: str
) -> None:
    tool_may_come, end_may_come = asyncio.Event(), asyncio.Event()

    async def answer(exchange: Exchange) -> None:
        await exchange.head(200, EVENT_STREAM)
        await exchange.send(START + text(0, "before"))
        await tool_may_come.wait()
        await exchange.send(TOOL)
        await end_may_come.wait()
        await exchange.send(STOP)
        await exchange.end()

    async with provider(sqlite_house, answer), arriving(sqlite_house, key, "odd/first") as answered:
        await answered.has(b"before")
        so_far = answered.seen
        if key == "plain":
            with locked(sqlite_house):
                tool_may_come.set()
                await never(answered.has(b"tool_use"))
                assert answered.seen == so_far
            await answered.has(TOOL)
        tool_may_come.set()
        with locked(sqlite_house):
            end_may_come.set()
            await never(answered.has(b"message_stop"))
            assert (b"tool_use" in answered.seen) is (key == "plain")
        await answered.has(b"message_stop")
    assert answered.seen == START + text(0, "before") + TOOL + STOP


async def test_no_byte_of_an_answer_is_released_before_the_call_is_on_record(sqlite_house: House) -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.answer(START + text(0, "before") + STOP, EVENT_STREAM)

    async with provider(sqlite_house, answer):
        with locked(sqlite_house):
            asking = asyncio.create_task(ask(sqlite_house, "plain", ANTHROPIC, "x", model="odd/first", stream=True))
            await never(done(asking))
        assert b"message_stop" in (await asking).content


async def test_a_whole_answer_waits_for_its_record_too(sqlite_house: House) -> None:
    with locked(sqlite_house):
        asking = asyncio.create_task(ask(sqlite_house, "plain", ANTHROPIC, "say hi"))
        await never(done(asking))
    got = await asking
    assert got.status_code == 200
    assert (await sqlite_house.record(got.headers["x-luthien-call-id"]))["outcome"] == "finished"


def ending(on: asyncio.Event) -> Callable[[Exchange], Coroutine[Any, Any, None]]:
    """A provider whose answer comes to its end when that is let."""

    async def answer(exchange: Exchange) -> None:
        await exchange.head(200, EVENT_STREAM)
        await exchange.send(START + text(0, "before"))
        await on.wait()
        await exchange.send(STOP)
        await exchange.end()

    return answer


async def test_an_answer_ends_once_the_journal_has_what_the_database_does_not_take(sqlite_house: House) -> None:
    end_may_come = asyncio.Event()
    async with provider(sqlite_house, ending(end_may_come)), arriving(sqlite_house, "plain", "odd/first") as answered:
        await answered.has(b"before")
        with locked(sqlite_house):
            end_may_come.set()
            await answered.has(b"message_stop")
    assert (await sqlite_house.record(answered.call))["outcome"] == "finished"


async def test_without_a_database_and_a_journal_no_answer_ends_calls_are_refused_and_providers_left_alone(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    async def unasked(exchange: Exchange) -> None:
        raise AssertionError("a provider was asked for what nobody may have")

    folder = tmp_path_factory.mktemp("without")
    folder.chmod(0o700)
    postgres = Postgres()
    env = {
        "DATABASE_URL": postgres.url("postgres"),
        "REDIS_URL": "",
        "PYTHONPATH": str(INSTALLED),
        "LUTHIEN_SPILL_MB": "0",
    }
    server = LiveLuthien(folder, env)
    try:
        server.manage("migrate", "--verbosity", "0")
        house = furnish(server, "http://127.0.0.1:9")
        server.start()
        end_may_come = asyncio.Event()
        async with provider(house, ending(end_may_come)), arriving(house, "plain", "odd/first") as answered:
            await answered.has(b"before")
            postgres.stop()
            end_may_come.set()
            await answered.has(b"overloaded_error")
        assert b"message_stop" not in answered.seen
        for dialect, kind, stream in ((ANTHROPIC, "overloaded_error", True), (CHAT, "server_error", False)):
            async with provider(house, unasked):
                got = await ask(house, "plain", dialect, "x", model=dialect.odd, stream=stream)
            assert (got.status_code, got.json()["error"]["type"]) == (503, kind)
            assert int(got.headers["retry-after"]) > 0
            assert got.headers["x-luthien-call-id"]
    finally:
        if server.process is not None:
            server.kill()
        postgres.stop()


async def test_a_killed_server_leaves_records_that_say_so(sqlite_house: House) -> None:
    sent = asyncio.Event()

    async def half(exchange: Exchange) -> None:
        await exchange.head(200, EVENT_STREAM)
        await exchange.send(START + text(0, "one") + TOOL)
        sent.set()
        await exchange.gone()

    house = sqlite_house
    async with provider(house, half):
        with pytest.raises(httpx.RemoteProtocolError):
            async with arriving(house, "plain", "odd/first") as answered:
                await answered.has(TOOL)
                house.server.kill()
    house.server.start()
    record = await house.record(answered.call)
    assert record["outcome"] == "interrupted"
    assert [(each["kind"], each["name"]) for each in record["blocks"]] == [("text", ""), ("tool_call", "bash")]


async def test_a_server_that_is_told_to_stop_lets_running_answers_end(sqlite_house: House) -> None:
    may_end = asyncio.Event()

    async def slow(exchange: Exchange) -> None:
        await exchange.head(200, EVENT_STREAM)
        await exchange.send(START + text(0, "one"))
        await may_end.wait()
        await exchange.send(STOP)
        await exchange.end()

    server = sqlite_house.server
    async with provider(sqlite_house, slow), arriving(sqlite_house, "plain", "odd/first") as answered:
        await answered.has(b"one")
        stopping = asyncio.create_task(asyncio.to_thread(server.stop))

        async def refuses() -> bool:
            try:
                async with patient() as made:
                    await made.get(f"{server.url}/health")
            except httpx.ConnectError:
                return True
            except httpx.TransportError:  # it was let in, and the door closed behind it
                return False
            return False

        await eventually(refuses)
        may_end.set()
    assert answered.seen == START + text(0, "one") + STOP
    assert await stopping == 0
    server.start()
    assert (await sqlite_house.record(answered.call))["outcome"] == "finished"


@pytest.fixture
def restored(house: House) -> Iterator[Callable[..., None]]:
    """Applies sections of a configuration, and the house's own again after the test."""
    yield house.apply
    house.apply(**house.config)


async def test_a_policy_is_in_force_for_the_next_call_and_never_for_one_in_flight(
    house: House, restored: Callable[..., None]
) -> None:
    second_half = asyncio.Event()

    async def answer(exchange: Exchange) -> None:
        await exchange.head(200, EVENT_STREAM)
        await exchange.send(START + text(0, "first "))
        await second_half.wait()
        await exchange.send(text(1, "second") + STOP)
        await exchange.end()

    shouts = {"name": "shouts", "policy": "uppercase", "scope": {"keys": ["plain"]}}
    async with provider(house, answer):
        async with arriving(house, "plain", "odd/first") as in_flight:
            await in_flight.has(b"first")
            await asyncio.to_thread(restored, policies=[*house.config["policies"], shouts])

            async def next_call() -> bool:
                return "SAY HI" in (await ask(house, "plain", ANTHROPIC, "say hi", model="demo/echo")).text

            await eventually(next_call)
            second_half.set()
        assert in_flight.seen == START + text(0, "first ") + text(1, "second") + STOP


async def test_a_revoked_key_is_soon_refused(house: House, restored: Callable[..., None]) -> None:
    keys = house.config["keys"]
    await asyncio.to_thread(restored, keys=[*keys, {"name": "passing", "key": secret("passing")}])
    assert (await ask(house, "passing", ANTHROPIC, "say hi")).status_code == 200
    await asyncio.to_thread(restored, keys=keys)

    async def refused() -> bool:
        return (await ask(house, "passing", ANTHROPIC, "say hi")).status_code == 401

    await eventually(refused)


async def test_a_key_of_an_agent_reads_no_records_and_a_reading_key_calls_no_model(house: House) -> None:
    got = await ask(house, "guarded", ANTHROPIC, RM)
    call_id = got.headers["x-luthien-call-id"]
    async with client(house, "guarded") as agent, client(house, "reader") as reader:
        for path in ("/debug/calls", f"/debug/calls/{call_id}", f"/debug/calls/{call_id}/diff"):
            assert (await agent.get(path)).status_code == 403
            assert (await reader.get(path)).status_code == 200
        refused = await reader.post("/v1/messages", json=ANTHROPIC.body("say hi"))
    assert (refused.status_code, refused.json()["error"]["type"]) == (403, "permission_error")


async def test_the_diff_shows_what_policies_changed(house: House) -> None:
    got = await ask(house, "loud", ANTHROPIC, "say Good day.", stream=True)
    await house.record(got.headers["x-luthien-call-id"])
    async with client(house, "reader") as reader:
        diff: Any = (await reader.get(f"/debug/calls/{got.headers['x-luthien-call-id']}/diff")).json()
    assert diff["request"]["changed"] is False
    assert diff["response"]["changed"] is True
    assert [block["text"] for block in diff["response"]["original"]] == ["Good day."]
    assert [block["text"] for block in diff["response"]["final"]] == ["GOOD DAY."]
