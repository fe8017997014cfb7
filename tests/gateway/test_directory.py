import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError

from gateway import directory, services
from gateway.directory import loading, lookups, refresher
from gateway.directory.snapshot import SPEAKS, TRANSLATED, Client, Directory, Route, Target
from gateway.errors import Unavailable, UpstreamUnreachable
from gateway.models import ApiKey, Dialect, Fallback, ModelRoute, Provider
from gateway.upstreams.base import Outgoing
from gateway.upstreams.demo import DemoUpstream
from policies.active import ActiveSet

stored = pytest.mark.django_db(transaction=True)
CALLER = Client("ci", "", can_call=True, can_read=False, id=1)


def in_thread(work: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    return sync_to_async(work)(*arguments, **options)


async def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 (another process's change has no event here)
            await asyncio.sleep(0.01)


def routed(*matches: tuple[str, str, str]) -> Directory:
    """Routes as (match, dialect, the provider's name for the model), in order."""
    routes = [Route(match, Target(dialect, dialect, model, DemoUpstream())) for match, dialect, model in matches]
    return Directory.of(1, ActiveSet(), {}, routes)


@pytest.fixture
async def running() -> AsyncIterator[None]:
    await directory.start()
    yield
    await directory.stop()


def test_an_exact_route_goes_before_every_pattern() -> None:
    found = routed(("*", "openai", ""), ("fast", "anthropic", "claude"))
    assert [(target.dialect, target.model) for name in ("fast", "slow") if (target := found.target(name))] == [
        ("anthropic", "claude"),
        ("openai", "slow"),
    ]


def test_patterns_are_tried_in_order_and_mind_the_case() -> None:
    found = routed(("gpt-5*", "anthropic", ""), ("gpt-*", "openai", ""))
    assert [target and target.dialect for target in map(found.target, ("gpt-5-mini", "gpt-4", "GPT-4"))] == [
        "anthropic",
        "openai",
        None,
    ]


def test_what_can_be_named_is_listed() -> None:
    found = routed(("demo/*", "demo", ""), ("gpt-*", "openai", ""), ("fast", "openai", "gpt-5"))
    assert found.models(CALLER) == ["fast", "demo/echo", "demo/script", "demo/embed"]
    assert routed(("*", "openai", "")).models(CALLER) == []
    assert found.models(Client("r", "", can_call=False, can_read=True, id=2)) == []


def test_a_target_says_which_dialects_it_takes() -> None:
    found = routed(("a", "anthropic", ""), ("o", "openai", ""), ("d", "demo", ""))
    dialects = ("anthropic", "openai_chat", "openai_responses")
    spoken = {
        name: [dialect for dialect in dialects if (t := found.target(name)) and t.speaks(dialect)]
        for name in ("a", "o", "d")
    }
    assert spoken == {"a": ["anthropic"], "o": ["openai_chat", "openai_responses"], "d": [*dialects]}


def test_a_provider_may_have_no_responses() -> None:
    route = Route("*", Target("p", "openai", "", DemoUpstream(), responses=False))
    target = route.target("m")
    assert target.speaks("openai_chat") and not target.speaks("openai_responses")
    assert target.wire("openai_responses") == "openai_chat"


@pytest.mark.parametrize(
    ("configured", "translated", "asked", "sent"),
    [
        ("anthropic", "", "anthropic", "anthropic"),
        ("anthropic", "", "openai_chat", "anthropic"),
        ("openai", "", "openai_chat", "openai_chat"),
        ("openai", "", "anthropic", "openai_chat"),
        ("openai", "no_such_dialect", "anthropic", "openai_chat"),
        ("demo", "anthropic", "other", "anthropic"),
        ("litellm", "", "anthropic", "openai_chat"),
    ],
)
def test_a_call_is_sent_in_its_own_dialect_where_that_is_spoken_and_else_translated(
    configured: str, translated: str, asked: str, sent: str
) -> None:
    assert Target("p", configured, "m", DemoUpstream(), translated=translated).wire(asked) == sent


def test_calls_are_translated_to_what_is_spoken() -> None:
    assert {name: wire for name, wire in TRANSLATED.items() if wire not in SPEAKS[name]} == {}
    assert TRANSLATED.keys() == SPEAKS.keys()


def test_a_change_is_looked_for_often_enough_to_be_in_force_within_two_seconds() -> None:
    assert refresher.INTERVAL <= 1


@stored
@pytest.mark.usefixtures("running")
async def test_a_change_comes_into_force_by_itself() -> None:
    _, secret = await in_thread(services.create_key, "ci", team="payments", actor="ann")
    await until(lambda: (found := _now()) is not None and found.client(secret) is not None)
    client = (await directory.current()).client(secret)
    assert client is not None
    assert (client.key, client.team, client.can_call, client.can_read) == ("ci", "payments", True, False)


@stored
@pytest.mark.usefixtures("running")
async def test_a_key_just_made_works_at_once() -> None:
    await directory.current()
    _, secret = await in_thread(services.create_key, "ci", actor="ann")
    client = await directory.find_client(secret)
    assert client is not None
    assert client.key == "ci"


@stored
@pytest.mark.usefixtures("running")
async def test_a_revoked_key_stops_by_itself() -> None:
    key, secret = await in_thread(services.create_key, "ci", actor="ann")
    await directory.refresh()
    assert await directory.find_client(secret)
    await in_thread(services.revoke_key, key, actor="ann")
    await until(lambda: (found := _now()) is not None and found.client(secret) is None)
    assert await directory.find_client(secret) is None


@stored
@pytest.mark.usefixtures("running")
async def test_a_key_that_was_not_found_is_not_looked_for_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookups, "MISS_LASTS", 60.0)
    looks: list[str] = []

    def find(digest: str) -> None:
        looks.append(digest)

    monkeypatch.setattr(loading, "find_client", find)
    for _ in range(5):
        assert await directory.find_client("lth_wrong") is None
    assert len(looks) == 1


@stored
@pytest.mark.usefixtures("running")
async def test_a_flood_of_unknown_keys_is_turned_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookups, "MOST_WAITING", 3)
    found = await asyncio.gather(*(directory.find_client(f"lth_{n}") for n in range(10)), return_exceptions=True)
    assert found.count(None) == 3
    assert sum(isinstance(result, Unavailable) for result in found) == 7


@stored
async def test_the_first_use_starts_it_where_no_lifespan_did() -> None:
    assert (await directory.current()).number >= 0
    await directory.stop()


@stored
@pytest.mark.usefixtures("running")
async def test_without_its_database_the_last_state_stays(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    _, secret = await in_thread(services.create_key, "ci", actor="ann")
    await directory.refresh()
    looks: list[None] = []

    def away() -> int:
        looks.append(None)
        raise OperationalError("away")

    with monkeypatch.context() as patch:
        patch.setattr(loading, "revision", away)
        await until(lambda: len(looks) >= 2)
        assert (await directory.current()).client(secret)
        assert directory.age() > 0.4
        assert [record.getMessage() for record in caplog.records].count(
            "The database cannot be read (OperationalError); keys, routes and policies stay as they are"
        ) == 1
    await until(lambda: "can be read again" in caplog.text)


@stored
async def test_it_never_serves_before_it_knows_what_is_in_force(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> int:
        raise OperationalError("away")

    with monkeypatch.context() as patch:
        patch.setattr(loading, "revision", away)
        await directory.start()
        with pytest.raises(Unavailable):
            await directory.current()
        with pytest.raises(Unavailable):
            await directory.find_client("lth_any")
    await directory.current()
    await directory.stop()


@stored
@pytest.mark.usefixtures("running")
async def test_an_upstream_is_kept_until_its_provider_changes() -> None:
    provider = Provider(name="p", dialect=Dialect.OPENAI, base_url="https://p.invalid/v1")
    await in_thread(services.save_provider, provider, actor="ann", api_key="one")
    await in_thread(services.save_route, ModelRoute(match="m", provider=provider), actor="ann")
    first = await _upstream("m")
    await in_thread(services.create_key, "ci", actor="ann")
    assert await _upstream("m") is first
    await in_thread(services.save_provider, provider, actor="ann", api_key="two")
    assert await _upstream("m") is not first


@stored
@pytest.mark.usefixtures("running")
async def test_a_provider_or_route_out_of_use_has_no_target() -> None:
    provider = Provider(name="p", dialect=Dialect.DEMO)
    await in_thread(services.save_provider, provider, actor="ann")
    route = ModelRoute(match="m", provider=provider)
    await in_thread(services.save_route, route, actor="ann")
    for row in (provider, route):
        assert await _upstream("m") is not None
        await in_thread(services.set_enabled, row, False, actor="ann")
        assert await _upstream("m") is None
        await in_thread(services.set_enabled, row, True, actor="ann")


@stored
@pytest.mark.usefixtures("running")
async def test_a_route_brings_the_fallbacks_that_are_in_use() -> None:
    one, two = (Provider(name=name, dialect=Dialect.DEMO) for name in ("one", "two"))
    for provider in (one, two):
        await in_thread(services.save_provider, provider, actor="ann")
    targets = [Fallback(provider=two, model="small"), Fallback(provider=one, model="tiny"), Fallback(provider=two)]
    await in_thread(services.save_route, ModelRoute(match="m*", provider=one), actor="ann", fallbacks=targets)
    assert await _fallbacks("m1") == [("two", "small"), ("one", "tiny"), ("two", "m1")]
    await in_thread(services.set_enabled, two, False, actor="ann")
    assert await _fallbacks("m1") == [("one", "tiny")]
    assert await _fallbacks("mtiny") == [("one", "tiny")]


@stored
@pytest.mark.usefixtures("running")
async def test_a_credential_that_cannot_be_read_breaks_its_provider_alone() -> None:
    provider = Provider(name="p", dialect=Dialect.OPENAI, base_url="https://p.invalid/v1", sealed_api_key=b"rubbish")
    await in_thread(services.save_provider, provider, actor="ann")
    await in_thread(services.save_route, ModelRoute(match="m", provider=provider), actor="ann")
    upstream = await _upstream("m")
    with pytest.raises(UpstreamUnreachable, match="The provider p has a stored credential that cannot be read"):
        async with upstream.send(Outgoing("POST", "/chat/completions", [], b"", False)):
            pass


@stored
async def test_the_use_of_keys_is_written_down_by_the_way() -> None:
    await directory.start()
    key, secret = await in_thread(services.create_key, "ci", actor="ann")
    await directory.find_client(secret)
    await directory.stop()
    assert (await ApiKey.objects.aget(pk=key.pk)).last_used_at is not None


def _now() -> Directory | None:
    return directory._refresher().directory


async def _fallbacks(model: str) -> list[tuple[str, str]]:
    await directory.refresh()
    target = (await directory.current()).target(model)
    return [(each.provider, each.model) for each in target.fallbacks] if target else []


async def _upstream(model: str) -> Any:
    await directory.refresh()
    target = (await directory.current()).target(model)
    return target and target.upstream
