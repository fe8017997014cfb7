from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db.models import ProtectedError
from pytest_django.fixtures import Settings

from gateway import secrets, services
from gateway.models import ApiKey, Dialect, Fallback, ModelRoute, Provider, Team
from policies.services import revision

pytestmark = pytest.mark.django_db
Announced = list[dict[str, Any]]


def openai(name: str = "openai") -> Provider:
    return Provider(name=name, dialect=Dialect.OPENAI, base_url="https://api.openai.com/v1")


def test_a_key_is_made_and_only_its_hash_is_kept(announced: Announced) -> None:
    key, secret = services.create_key("ci", team="payments", actor="ann")
    stored = ApiKey.objects.get(pk=key.pk)
    assert stored.digest == secrets.digest(secret)
    assert stored.prefix == secret[:10]
    assert (stored.team and stored.team.name, stored.can_call, stored.can_read) == ("payments", True, False)
    assert [event["action"] for event in announced] == ["team.created", "key.created"]
    assert secret[4:] not in repr(announced)


def test_every_change_is_counted_and_announced(announced: Announced) -> None:
    before = revision()
    provider = services.save_provider(openai(), actor="ann", api_key="sk-secret")
    route = services.save_route(ModelRoute(match="gpt-*", provider=provider), actor="ann")
    services.set_enabled(route, False, actor="ann")
    services.delete(route, actor="ann")
    services.delete(provider, actor="ann")
    team = services.save_team(Team(name="a"), actor="ann")
    services.delete(team, actor="ann")
    assert revision() == before + 7
    assert [event["action"] for event in announced] == [
        "provider.created", "route.created", "route.disabled", "route.deleted", "provider.deleted", "team.created",
        "team.deleted",
    ]  # fmt: skip
    assert {event["actor"] for event in announced} == {"ann"}
    assert "sk-secret" not in repr(announced)


def test_where_clients_bring_their_own_credential_the_first_providers_take_it(settings: Settings) -> None:
    settings.LUTHIEN_AUTH, settings.ANTHROPIC_API_KEY, settings.OPENAI_API_KEY = "both", "", "sk-ours"
    services.first_run()
    assert [(each.name, each.passthrough, each.api_key) for each in Provider.objects.all()] == [
        ("anthropic", True, ""),
        ("demo", True, ""),
        ("openai", True, "sk-ours"),
    ]


def test_a_route_has_a_few_fallbacks_and_each_of_them_once(announced: Announced) -> None:
    provider = services.save_provider(openai(), actor="ann")
    route = ModelRoute(match="fast", provider=provider)
    services.save_route(route, actor="ann", fallbacks=[Fallback(provider=provider, model="small")])
    services.save_route(route, actor="ann")
    assert [str(each) for each in route.fallbacks.all()] == ["openai/small"]
    assert [event["detail"].get("fallbacks") for event in announced[1:]] == [["openai/small"]] * 2
    many = [Fallback(provider=provider, model=str(number)) for number in range(6)]
    for wrong in (many, many[:2] + many[:1], [Fallback(provider=provider)]):
        with pytest.raises(ValidationError) as refused:
            services.save_route(route, actor="ann", fallbacks=wrong)
        assert list(refused.value.message_dict) == ["fallback"]
    with pytest.raises(ProtectedError):
        services.delete(provider, actor="ann")


def test_a_key_brought_along_has_to_be_long_and_new() -> None:
    services.create_key("a", actor="ann", secret="a-secret-of-their-own")
    for secret in ("short", "with blanks in it, long", "a-secret-of-their-own", "ö" * 30):
        with pytest.raises(services.InvalidKey) as refused:
            services.create_key("b", actor="ann", secret=secret)
        assert secret not in str(refused.value)
    assert ApiKey.objects.get().prefix == "a-secre"


def test_a_key_is_revoked_once(announced: Announced) -> None:
    key, _ = services.create_key("ci", actor="ann")
    services.revoke_key(key, actor="bob")
    first = ApiKey.objects.get(pk=key.pk).revoked_at
    services.revoke_key(key, actor="bob")
    assert ApiKey.objects.get(pk=key.pk).revoked_at == first is not None
    assert [event["action"] for event in announced].count("key.revoked") == 1


def test_a_key_gets_other_rights_and_another_team() -> None:
    key, _ = services.create_key("ci", team="a", actor="ann")
    services.set_key_rights(key, team="b", read=True, call=False, actor="ann")
    key = ApiKey.objects.select_related("team").get(pk=key.pk)
    assert (key.team and key.team.name, key.can_read, key.can_call) == ("b", True, False)


def test_a_credential_is_kept_replaced_or_removed() -> None:
    provider = services.save_provider(openai(), actor="ann", api_key="one")
    services.save_provider(provider, actor="ann")
    assert Provider.objects.get().api_key == "one"
    services.save_provider(provider, actor="ann", api_key="two")
    assert Provider.objects.get().api_key == "two"
    services.save_provider(provider, actor="ann", api_key="")
    assert Provider.objects.get().api_key == ""


def test_what_cannot_be_stored_changes_nothing(announced: Announced) -> None:
    with pytest.raises(ValidationError):
        services.save_provider(openai("a b"), actor="ann")
    with pytest.raises(ValidationError):
        services.save_provider(openai(), actor="ann", api_key="with blank")
    with pytest.raises(ValidationError):
        services.create_key("", actor="ann")
    assert announced == []
    assert not Provider.objects.exists()


def test_a_provider_with_routes_is_not_deleted() -> None:
    provider = services.save_provider(openai(), actor="ann")
    services.save_route(ModelRoute(match="gpt-*", provider=provider), actor="ann")
    with pytest.raises(ProtectedError):
        services.delete(provider, actor="ann")


def test_the_first_run_makes_a_key_and_the_demo_provider_once() -> None:
    secret = services.first_run()
    assert secret
    assert ApiKey.objects.get(digest=secrets.digest(secret)).name == "default"
    assert ModelRoute.objects.get(match="demo/*").provider.dialect == Dialect.DEMO
    assert services.first_run() is None


def test_what_an_admin_took_away_does_not_come_back() -> None:
    services.first_run()
    services.revoke_key(ApiKey.objects.get(), actor="ann")
    services.delete(ModelRoute.objects.get(), actor="ann")
    assert services.first_run() is None
    assert not ApiKey.objects.live().exists()
    assert not ModelRoute.objects.exists()


def test_providers_whose_credentials_stand_in_the_environment_are_added(settings: Settings) -> None:
    services.first_run()
    settings.ANTHROPIC_API_KEY = "sk-ant"
    services.first_run()
    provider = Provider.objects.get(name="anthropic")
    assert provider.api_key == "sk-ant"
    assert ModelRoute.objects.get(match="claude-*").provider == provider
    settings.ANTHROPIC_API_KEY = "sk-other"
    services.first_run()
    assert Provider.objects.get(name="anthropic").api_key == "sk-ant"


def test_use_of_keys_is_noted_without_counting_as_a_change() -> None:
    key, _ = services.create_key("ci", actor="ann")
    other, _ = services.create_key("other", actor="ann")
    before = revision()
    services.note_use({key.pk})
    assert revision() == before
    assert ApiKey.objects.get(pk=key.pk).last_used_at is not None
    assert ApiKey.objects.get(pk=other.pk).last_used_at is None


@pytest.mark.parametrize(
    ("options", "call", "read"),
    [((), True, False), (("--read",), False, True), (("--read", "--call"), True, True), (("--call",), True, False)],
)
def test_the_command_prints_the_key_alone(
    options: tuple[str, ...], call: bool, read: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("create_key", "ci", "--team", "payments", *options)
    out, err = capsys.readouterr()
    key = ApiKey.objects.select_related("team").get(digest=secrets.digest(out.strip()))
    assert out == out.strip() + "\n"
    assert out.strip() not in err
    assert (key.can_call, key.can_read, key.team and key.team.name) == (call, read, "payments")


def test_the_command_refuses_a_name_that_is_too_long() -> None:
    with pytest.raises(CommandError):
        call_command("create_key", "x" * 101)
