import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from gateway import secrets, services
from gateway.models import ApiKey, ModelRoute, Provider, Team
from observability.models import AuditEvent
from tests.plugins.servers import free_port

pytestmark = pytest.mark.django_db
DEFAULTS = {
    "connect_timeout": 10,
    "first_byte_timeout": 600,
    "idle_timeout": 300,
    "extra_headers": "{}",
    "enabled": "on",
}


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("ann"))
    return client


def audited() -> list[tuple[str, str]]:
    """What was put on record of ann, but for her login."""
    events = AuditEvent.objects.filter(actor="ann").exclude(action="user.logged_in")
    return list(events.order_by("pk").values_list("actor", "action"))


def add_provider(admin: Client, **fields: object) -> str:
    """The page that follows."""
    given = {**DEFAULTS, "name": "p", "dialect": "openai", "base_url": "https://p.invalid/v1", **fields}
    return admin.post(reverse("admin:gateway_provider_add"), given, follow=True).content.decode()


def test_a_new_key_is_shown_once_and_kept_by_nobody(admin: Client) -> None:
    team = Team.objects.create(name="payments")
    page = admin.post(reverse("admin:gateway_apikey_add"), {"name": "ci", "team": team.pk, "can_call": "on"})
    found = re.search(r"lth_[0-9A-Za-z]{40}", page.content.decode())
    assert found
    key = ApiKey.objects.get(digest=secrets.digest(found[0]))
    assert (key.name, key.team, key.can_call, key.can_read) == ("ci", team, True, False)
    assert "no-store" in page["cache-control"]
    assert found[0] not in str(admin.session.items()) + str(admin.cookies)
    for url in (reverse("admin:gateway_apikey_changelist"), reverse("admin:gateway_apikey_change", args=[key.pk])):
        text = admin.get(url).content.decode()
        assert found[0] not in text
        assert key.digest not in text
        assert key.prefix in text
    assert audited()[-1] == ("ann", "key.created")


def test_a_key_is_revoked_and_never_deleted(admin: Client) -> None:
    key, _ = services.create_key("ci", actor="bob")
    admin.post(reverse("admin:gateway_apikey_changelist"), {"action": "revoke", "_selected_action": [key.pk]})
    key.refresh_from_db()
    assert key.revoked_at
    assert audited() == [("ann", "key.revoked")]
    assert admin.post(reverse("admin:gateway_apikey_delete", args=[key.pk]), {"post": "yes"}).status_code == 403


def test_a_key_may_get_other_rights_but_no_other_name(admin: Client) -> None:
    key, _ = services.create_key("ci", actor="bob")
    admin.post(reverse("admin:gateway_apikey_change", args=[key.pk]), {"name": "other", "can_read": "on"})
    key.refresh_from_db()
    assert (key.name, key.can_call, key.can_read) == ("ci", False, True)
    assert audited() == [("ann", "key.changed")]


def test_a_credential_is_written_and_never_read(admin: Client) -> None:
    add_provider(admin, api_key="sk-secret")
    provider = Provider.objects.get()
    assert provider.api_key == "sk-secret"
    url = reverse("admin:gateway_provider_change", args=[provider.pk])
    page = admin.get(url).content.decode()
    assert "sk-secret" not in page
    assert "stored; leave empty to keep it" in page
    given = {**DEFAULTS, "name": "p", "dialect": "openai", "base_url": "https://q.invalid/v1"}
    admin.post(url, given)
    provider.refresh_from_db()
    assert (provider.base_url, provider.api_key) == ("https://q.invalid/v1", "sk-secret")
    admin.post(url, {**given, "forget_api_key": "on"})
    provider.refresh_from_db()
    assert provider.api_key == ""
    assert "sk-secret" not in str([event.detail for event in AuditEvent.objects.all()])


def test_a_credential_that_cannot_be_one_is_refused_unquoted(admin: Client) -> None:
    page = add_provider(admin, api_key="sk secret")
    assert "ASCII without blanks" in page
    assert "sk secret" not in page
    assert not Provider.objects.exists()


def test_a_provider_is_tested_and_the_time_it_took_is_shown(admin: Client) -> None:
    page = add_provider(admin, dialect="demo", base_url="", _test="1")
    assert re.search(r"Provider p: It answers and takes the credential\. \(\d+ ms\)", page)
    assert 'name="_test"' in page


def test_a_provider_that_is_not_there_is_found_out(admin: Client) -> None:
    page = add_provider(admin, base_url=f"http://127.0.0.1:{free_port()}/v1", _test="1")
    assert "The provider p could not be reached." in page


def test_providers_are_tested_from_their_list(admin: Client) -> None:
    add_provider(admin, dialect="demo", base_url="")
    given = {"action": "test", "_selected_action": [Provider.objects.get().pk]}
    page = admin.post(reverse("admin:gateway_provider_changelist"), given, follow=True)
    assert "It answers" in page.content.decode()


def test_teams_and_routes_are_made_and_deleted_on_record(admin: Client) -> None:
    add_provider(admin)
    provider = Provider.objects.get()
    admin.post(reverse("admin:gateway_team_add"), {"name": "payments"})
    given = {"match": "gpt-*", "provider": provider.pk, "order": 0, "enabled": "on"}
    admin.post(reverse("admin:gateway_modelroute_add"), given | fallbacks())
    admin.post(reverse("admin:gateway_modelroute_delete", args=[ModelRoute.objects.get().pk]), {"post": "yes"})
    given = {"action": "delete_selected", "_selected_action": [provider.pk], "post": "yes"}
    admin.post(reverse("admin:gateway_provider_changelist"), given)
    assert audited() == [
        ("ann", "provider.created"),
        ("ann", "team.created"),
        ("ann", "route.created"),
        ("ann", "route.deleted"),
        ("ann", "provider.deleted"),
    ]


def fallbacks(*targets: tuple[Provider, str]) -> dict[str, object]:
    """The rows of a route's form."""
    count = {"fallbacks-TOTAL_FORMS": len(targets), "fallbacks-INITIAL_FORMS": 0}
    fields = {f"fallbacks-{place}-provider": provider.pk for place, (provider, _) in enumerate(targets)}
    return count | fields | {f"fallbacks-{place}-model": model for place, (_, model) in enumerate(targets)}


def test_a_route_gets_its_fallbacks_in_one_change(admin: Client) -> None:
    add_provider(admin)
    provider = Provider.objects.get()
    given = {"match": "gpt-*", "provider": provider.pk, "order": 0, "enabled": "on"}
    url = reverse("admin:gateway_modelroute_add")
    page = admin.post(url, given | fallbacks((provider, "small"), (provider, "")), follow=True).content.decode()
    assert "p is asked already" in page
    assert not ModelRoute.objects.exists()
    admin.post(url, given | fallbacks((provider, "small"), (provider, "tiny")))
    route = ModelRoute.objects.get()
    assert [str(each) for each in route.fallbacks.all()] == ["p/small", "p/tiny"]
    kept, dropped = route.fallbacks.all()
    rows = fallbacks((provider, "smaller"), (provider, "tiny")) | {
        **{"fallbacks-INITIAL_FORMS": 2, "fallbacks-1-DELETE": "on"},
        **{"fallbacks-0-id": kept.pk, "fallbacks-1-id": dropped.pk},
    }
    admin.post(reverse("admin:gateway_modelroute_change", args=[route.pk]), given | rows)
    assert [str(each) for each in route.fallbacks.all()] == ["p/smaller"]
    assert audited() == [("ann", "provider.created"), ("ann", "route.created"), ("ann", "route.changed")]


@pytest.mark.parametrize("model", ["team", "apikey", "provider", "modelroute"])
def test_every_list_and_form_opens(admin: Client, model: str) -> None:
    services.first_run()
    for page in ("changelist", "add"):
        assert admin.get(reverse(f"admin:gateway_{model}_{page}")).status_code == 200
