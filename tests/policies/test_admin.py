from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from policies import registry, services
from policies.active import Scope
from policies.models import Activation, Policy, PolicyVersion, Terms
from policies.signals import changed

pytestmark = pytest.mark.django_db


@pytest.fixture
def policy() -> Policy:
    return services.create_policy("words", actor="ada")


@pytest.fixture
def version(policy: Policy) -> PolicyVersion:
    return services.create_version(policy, "uppercase_nth_word", {"n": 3}, actor="ada")


@pytest.fixture
def actions() -> Iterator[list[tuple[str, str]]]:
    heard: list[tuple[str, str]] = []

    def listen(actor: str, action: str, **_: Any) -> None:
        heard.append((actor, action))

    changed.connect(listen)
    yield heard
    changed.disconnect(listen)


def url(name: str, policy: Policy, **query: Any) -> str:
    return reverse(f"admin:policies_policy_{name}", args=[policy.pk], query=query or None)


def terms(version: PolicyVersion, **changed_terms: str) -> dict[str, Any]:
    return {
        "version": version.pk,
        "mode": "shadow",
        "teams": "pay*\nops",
        "keys": "*",
        "models": "*",
        "percent": "100",
        "order": "5",
        "on_failure": "closed",
        "deadline": "2.5",
        **changed_terms,
    }


def test_the_whole_way_from_a_name_to_enforcement(admin_client: Client, actions: list[tuple[str, str]]) -> None:
    answer = admin_client.post(reverse("admin:policies_policy_add"), {"name": "loud"}, follow=True)
    policy = Policy.objects.get(name="loud")
    assert "uppercase_nth_word" in answer.content.decode()
    form = url("new_version", policy, **{"class": "uppercase_nth_word"})
    assert 'value="2"' in admin_client.get(form).content.decode()
    answer = admin_client.post(form, {"config-n": "4", "note": "a try"}, follow=True)
    assert "Version loud@1 is stored" in answer.content.decode()
    answer = admin_client.get(url("activate", policy))
    assert "Put in force" in answer.content.decode()
    answer = admin_client.post(url("activate", policy), terms(policy.versions.get()), follow=True)
    assert "Version loud@1 is in force in shadow mode" in answer.content.decode()
    answer = admin_client.post(url("switch_mode", policy), follow=True)
    assert "Version loud@1 is now in enforce mode" in answer.content.decode()
    answer = admin_client.post(url("end", policy), follow=True)
    assert "Policy loud is no longer in force" in answer.content.decode()
    version = policy.versions.get()
    assert (version.config, version.note, version.author) == ({"n": 4}, "a try", "admin")
    assert [activation.mode for activation in policy.activations.all()] == ["enforce", "shadow"]
    first = policy.activations.get(mode="shadow")
    assert first.terms == Terms(mode="shadow", scope=Scope(teams=("pay*", "ops")), order=5, deadline=2.5)
    assert actions == [
        ("admin", "policy.created"),
        ("admin", "policy.version_created"),
        ("admin", "policy.activated"),
        ("admin", "policy.activated"),
        ("admin", "policy.deactivated"),
    ]


def test_a_wrong_value_stands_beside_its_field_and_nothing_is_stored(admin_client: Client, policy: Policy) -> None:
    answer = admin_client.post(url("new_version", policy, **{"class": "uppercase_nth_word"}), {"config-n": "0"})
    assert answer.context["form"].errors["n"] and not PolicyVersion.objects.exists()


def test_a_bad_name_is_refused(admin_client: Client) -> None:
    answer = admin_client.post(reverse("admin:policies_policy_add"), {"name": "Not Good"})
    assert "Use small letters" in answer.content.decode() and not Policy.objects.exists()


def test_terms_out_of_range_are_refused(admin_client: Client, policy: Policy, version: PolicyVersion) -> None:
    answer = admin_client.post(url("activate", policy), terms(version, percent="101", teams=""))
    assert set(answer.context["form"].errors) == {"percent", "teams"} and policy.current is None


def test_what_only_the_service_refuses_is_shown(
    admin_client: Client, policy: Policy, version: PolicyVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise services.InvalidPolicy([("scope", "no")])

    monkeypatch.setattr(services, "activate", refuse)
    answer = admin_client.post(url("activate", policy), terms(version))
    assert answer.context["form"].non_field_errors() == ["scope: no"]


def test_another_policys_version_cannot_be_activated(
    admin_client: Client, policy: Policy, version: PolicyVersion
) -> None:
    other = services.create_policy("other", actor="ada")
    answer = admin_client.post(url("activate", other), terms(version))
    assert "version" in answer.context["form"].errors


def test_a_new_version_begins_with_the_values_of_the_last(
    admin_client: Client, policy: Policy, version: PolicyVersion
) -> None:
    assert (
        'value="3"' in admin_client.get(url("new_version", policy, **{"class": "uppercase_nth_word"})).content.decode()
    )


def test_an_activation_begins_with_the_terms_of_the_last(
    admin_client: Client, policy: Policy, version: PolicyVersion
) -> None:
    services.activate(version, Terms(order=77), actor="ada")
    newer = services.create_version(policy, "uppercase", {}, actor="ada")
    page = admin_client.get(url("activate", policy, version=version.pk)).content.decode()
    assert 'value="77"' in page and f'<option value="{version.pk}" selected>' in page
    assert f'<option value="{newer.pk}" selected>' in admin_client.get(url("activate", policy)).content.decode()


def test_a_class_that_is_not_registered_leads_to_the_catalogue(
    admin_client: Client, policy: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "broken", lambda: {"theirs": "pkg:X: ImportError"})
    page = admin_client.get(url("new_version", policy, **{"class": "os.system"})).content.decode()
    assert "What should it do?" in page and "theirs is installed but cannot be loaded" in page


def test_the_page_shows_what_cannot_be_loaded(
    admin_client: Client, policy: Policy, version: PolicyVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.activate(version, actor="ada")
    monkeypatch.setattr(registry, "catalogue", lambda: {})
    assert "blocks every call in its scope" in admin_client.get(url("change", policy)).content.decode()
    listed = admin_client.get(reverse("admin:policies_policy_changelist")).content.decode()
    assert "cannot be loaded: blocks" in listed


def test_the_lists_show_what_is_in_force(
    admin_client: Client, policy: Policy, version: PolicyVersion, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    services.create_policy("idle", actor="ada")
    services.activate(version, Terms(mode="shadow"), actor="ada")
    with django_assert_max_num_queries(12):
        listed = admin_client.get(reverse("admin:policies_policy_changelist")).content.decode()
    assert "shadow" in listed and "not in force" in listed
    for model in ("policyversion", "activation"):
        assert "words" in admin_client.get(reverse(f"admin:policies_{model}_changelist")).content.decode()


@pytest.mark.parametrize("model", ["policy", "policyversion", "activation"])
@pytest.mark.parametrize("action", ["change", "delete"])
def test_history_is_neither_edited_nor_deleted(
    admin_client: Client, policy: Policy, version: PolicyVersion, model: str, action: str
) -> None:
    activation = services.activate(version, actor="ada")
    row = {"policy": policy, "policyversion": version, "activation": activation}[model]
    address = reverse(f"admin:policies_{model}_{action}", args=[row.pk])
    assert admin_client.post(address, {"name": "changed", "post": "yes"}).status_code == 403
    assert Activation.objects.get().ended_at is None and Policy.objects.get().name == "words"


@pytest.mark.parametrize("name", ["switch_mode", "end"])
def test_looking_at_an_address_changes_nothing(
    admin_client: Client, policy: Policy, version: PolicyVersion, name: str
) -> None:
    services.activate(version, actor="ada")
    assert admin_client.get(url(name, policy)).status_code == 405


@pytest.mark.parametrize("name", ["new_version", "activate", "switch_mode", "end"])
def test_staff_without_the_permission_change_nothing(
    client: Client, policy: Policy, version: PolicyVersion, name: str
) -> None:
    services.activate(version, actor="ada")
    client.force_login(User.objects.create_user("viewer", is_staff=True))
    assert client.post(url(name, policy)).status_code == 404
    assert policy.current is not None


def test_switching_what_is_not_in_force_changes_nothing(
    admin_client: Client, policy: Policy, version: PolicyVersion
) -> None:
    admin_client.post(url("switch_mode", policy))
    assert policy.current is None


def test_a_policy_that_is_not_there_is_not_found(admin_client: Client) -> None:
    assert admin_client.get(reverse("admin:policies_policy_change", args=[99])).status_code == 404
