"""Live activity and its stop, over real servers: two processes on one database, with Redis between them and without."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from tests.gateway.running import ANTHROPIC, CHAT, House, ask, built, client, eventually, patient, secret
from tests.plugins.live import LiveLuthien, end
from tests.plugins.services import DATABASE, valkey_address

Json = dict[str, Any]
KINDS = [
    *("request_received", "request_sent", "answer_received", "answer_sent"),
    *("original_block", "verdict", "final_block", "finished"),
]
PEOPLE = """
from django.contrib.auth.models import User
from gateway.services import create_key
User.objects.create_superuser("admin", password="a password of theirs")
User.objects.create_user("nobody", password="a password of theirs")
create_key("member", team="payments", read=True, call=False, actor="tests", secret="secret-of-the-key-member")
"""
BLOCKED = 'say a secret word\ntool Bash {"command": "rm -rf /secret"}'
SLOW = "say it begins\npause 15\nsay it ends"


@dataclass
class Two:
    """One house with two processes."""

    house: House
    other: LiveLuthien


@pytest.fixture(scope="module", params=["embedded", "redis"])
def two(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    redis = valkey_address() if request.param == "redis" else ""
    with built(tmp_path_factory, os.environ[DATABASE], REDIS_URL=redis) as house:
        house.server.manage("shell", "-v", "0", "-c", PEOPLE)
        other = LiveLuthien(house.server.data_dir, {**house.server.env, "LUTHIEN_URL": ""})
        try:
            other.start()
            yield Two(house, other)
        finally:
            end(other)


@dataclass
class Watching:
    """A program that reads the stream; `last` is the id that it got last."""

    events: list[Json] = field(default_factory=list)
    last: str = ""

    def of(self, call: str) -> list[str]:
        """The kinds of what was told of a call, each event once, in the order of their times."""
        told = {event["id"]: event for event in self.events if event["call"] == call}
        return [event["kind"] for event in sorted(told.values(), key=lambda event: int(event["at"]))]

    async def until(self, probe: Callable[[], Any]) -> Any:
        async def found() -> Any:
            return probe()

        return await eventually(found)


@asynccontextmanager
async def watching(url: str, who: str = "reader", last: str = "", **wanted: str) -> AsyncIterator[Watching]:
    made = Watching()
    headers = {"x-api-key": secret(who)} | ({"last-event-id": last} if last else {})
    async with (
        patient(headers=headers) as reader,
        reader.stream("GET", f"{url}/activity/stream", params=wanted) as stream,
    ):
        assert stream.headers["content-type"] == "text/event-stream"
        lines = stream.aiter_lines()
        assert (await anext(lines)).startswith("retry:")
        task = asyncio.create_task(_read(lines, made))
        try:
            yield made
        finally:
            task.cancel()


async def _read(lines: AsyncIterator[str], watching: Watching) -> None:
    async for line in lines:
        name, _, value = line.partition(": ")
        if name == "id":
            watching.last = value
        elif name == "data":
            watching.events.append(json.loads(value))


def id_of(answer: httpx.Response) -> str:
    return answer.headers["x-luthien-call-id"]


@pytest.mark.parametrize("dialect", [ANTHROPIC, CHAT], ids=lambda dialect: dialect.name)
async def test_each_step_of_a_call_is_told_and_no_word_of_it(two: Two, dialect: Any) -> None:
    async with watching(two.house.url) as seen:
        call = id_of(await ask(two.house, "guarded", dialect, BLOCKED, stream=True))
        await seen.until(lambda: "finished" in seen.of(call))
    assert set(seen.of(call)) == set(KINDS)
    assert (seen.of(call)[0], seen.of(call)[-1]) == ("request_received", "finished")
    told = [event for event in seen.events if event["call"] == call]
    verdict = next(event for event in told if event["kind"] == "verdict" and event["verdict"] == "block")
    assert (verdict["policy"], verdict["mode"], verdict["key"]) == ("guarded-0", "enforce", "guarded")
    assert "secret" not in json.dumps(told)


async def test_calls_of_another_process_are_told_too(two: Two) -> None:
    elsewhere = House(two.other, two.house.demo, two.house.port, two.house.config)
    async with watching(two.house.url) as seen:
        call = id_of(await ask(elsewhere, "guarded", ANTHROPIC, BLOCKED, stream=True))
        await seen.until(lambda: "finished" in seen.of(call))
    assert {"request_received", "request_sent", "verdict", "final_block"} <= set(seen.of(call))


async def test_what_happened_during_an_interruption_is_told_afterwards(two: Two) -> None:
    async with watching(two.house.url) as before:
        first = id_of(await ask(two.house, "plain", ANTHROPIC, "say one", stream=True))
        await before.until(lambda: "finished" in before.of(first))
    missed = [id_of(await ask(two.house, "plain", ANTHROPIC, f"say {word}")) for word in ("two", "three")]
    async with watching(two.house.url, last=before.last) as after:
        await after.until(lambda: all("finished" in after.of(call) for call in missed))
        live = id_of(await ask(two.house, "plain", ANTHROPIC, "say four"))
        await after.until(lambda: "finished" in after.of(live))
    assert [after.of(call)[0] for call in missed] == ["request_received"] * 2


async def test_a_call_that_was_met_half_way_is_told_whole_in_the_end(two: Two) -> None:
    """Its verdicts come to be on record only when it is over."""
    async with watching(two.house.url) as before, client(two.house, "guarded") as made:
        body = ANTHROPIC.body(f"say one\npause 2\n{BLOCKED}", stream=True)
        async with made.stream("POST", ANTHROPIC.path, json=body) as answer:
            call = id_of(answer)
            await before.until(lambda: "request_received" in before.of(call))
            async with watching(two.other.url, last=f"{before.events[-1]['at'] - 1}-0") as after:
                await answer.aread()
                await after.until(lambda: {"finished", "verdict", "final_block"} <= set(after.of(call)))


async def test_filters_hold_for_what_was_and_for_what_is(two: Two) -> None:
    async with watching(two.house.url, kind="finished", key="plain") as seen:
        await ask(two.house, "guarded", ANTHROPIC, "say one")
        call = id_of(await ask(two.house, "plain", ANTHROPIC, "say two"))
        await seen.until(lambda: seen.of(call))
    assert {(event["kind"], event["key"]) for event in seen.events} == {("finished", "plain")}


async def test_a_teams_key_is_told_of_its_team_alone(two: Two) -> None:
    async with watching(two.house.url, "member") as seen:
        foreign = id_of(await ask(two.house, "guarded", ANTHROPIC, "say one"))
        own = id_of(await ask(two.house, "plain", ANTHROPIC, "say two"))
        await seen.until(lambda: "finished" in seen.of(own))
    assert seen.of(foreign) == [] and {event["team"] for event in seen.events} == {"payments"}


@pytest.mark.parametrize(("key", "status"), [("plain", 403), ("unheard-of", 401), ("", 401)])
async def test_who_may_not_read_is_told_so(two: Two, key: str, status: int) -> None:
    headers = {"x-api-key": secret(key)} if key else {}
    async with patient(headers=headers) as reader:
        answer = await reader.get(f"{two.house.url}/activity/stream")
    assert answer.status_code == status and answer.json()["error"]["message"]


@asynccontextmanager
async def console(house: House, name: str = "admin") -> AsyncIterator[httpx.AsyncClient]:
    async with patient(base_url=house.url) as made:
        await made.get("/login/")
        form = {"username": name, "password": "a password of theirs", "csrfmiddlewaretoken": made.cookies["csrftoken"]}
        assert (await made.post("/login/", data=form)).status_code == 302
        yield made


async def post(console: httpx.AsyncClient, path: str, **form: str) -> httpx.Response:
    return await console.post(path, data={**form, "csrfmiddlewaretoken": console.cookies["csrftoken"]})


async def lift(admin: httpx.AsyncClient) -> None:
    page = (await admin.get("/activity/monitor")).text
    (number,) = {part.partition("/")[0] for part in page.split("/activity/lift/")[1:]}
    assert (await post(admin, f"/activity/lift/{number}/")).status_code == 302


@pytest.mark.parametrize("dialect", [ANTHROPIC, CHAT], ids=lambda dialect: dialect.name)
@pytest.mark.parametrize("kind", ["key", "session"])
async def test_what_is_stopped_ends_in_every_process_and_begins_in_none(two: Two, dialect: Any, kind: str) -> None:
    elsewhere = House(two.other, two.house.demo, two.house.port, two.house.config)
    body = dialect.body(SLOW, stream=True)
    async with console(two.house) as admin, client(elsewhere, "loud") as made:
        async with made.stream("POST", dialect.path, json=body) as answer:
            call = id_of(answer)
            pieces = answer.aiter_bytes()
            got = await anext(pieces)
            assert (await post(admin, f"/activity/stop/{call}/now/", kind=kind)).status_code == 302
            async for piece in pieces:
                got += piece
        assert b"was stopped by an operator" in got and b"IT ENDS" not in got
        refused = await made.post(dialect.path, json=body)
        assert (refused.status_code, refused.headers["x-should-retry"]) == (403, "false")
        assert "was stopped by an operator" in refused.json()["error"]["message"]
        ended, unbegun = await two.house.record(call), await two.house.record(id_of(refused))
        assert (ended["outcome"], unbegun["outcome"]) == ("cut", "refused")
        await lift(admin)

        async def goes_on() -> bool:
            return (await made.post(dialect.path, json=dialect.body("say again"))).status_code == 200

        await eventually(goes_on)


async def test_a_stopped_key_reads_nothing(two: Two) -> None:
    async with console(two.house) as admin, patient(headers={"x-api-key": secret("member")}) as member:
        assert (await member.get(f"{two.house.url}/debug/calls")).status_code == 200
        made = "from gateway.services import stop_calls; stop_calls('key', 'payments', 'member', actor='tests')"
        two.house.server.manage("shell", "-v", "0", "-c", made)
        assert (await member.get(f"{two.house.url}/debug/calls")).status_code == 403
        await lift(admin)
        assert (await member.get(f"{two.house.url}/debug/calls")).status_code == 200


async def test_only_who_may_stop_can(two: Two) -> None:
    call = id_of(await ask(two.house, "plain", ANTHROPIC, "say one"))
    await two.house.record(call)
    async with console(two.house, "nobody") as nobody:
        assert (await nobody.get("/activity/monitor")).status_code == 403
        assert (await post(nobody, f"/activity/stop/{call}/now/", kind="key")).status_code == 403
    async with console(two.house) as admin:
        assert (await post(admin, f"/activity/stop/{call}/now/", kind="everything")).status_code == 404
        assert (await post(admin, "/activity/stop/call_unheard_of/now/", kind="key")).status_code == 404
        assert "/activity/lift/" not in (await admin.get("/activity/monitor")).text
