import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from policies import registry, services
from policies.models import Activation, Policy, PolicyVersion, Terms
from policies.signals import changed

pytestmark = pytest.mark.django_db


@pytest.fixture
def policy():
    return services.create_policy("words", actor="ada")


@pytest.fixture
def version(policy):
    return services.create_version(policy, "uppercase_nth_word", {"n": 3}, actor="ada")


@pytest.fixture
def actions():
    heard = []

    def listen(actor, action, **_):
        heard.append((actor, action))

    changed.connect(listen)
    yield heard
    changed.disconnect(listen)


def url(name, policy, **query):
    return reverse(f"admin:policies_policy_{name}", args=[policy.pk], query=query or None)


def terms(version, **changed_terms):
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


def test_the_whole_way_from_a_name_to_enforcement(admin_client, actions):
    answer = admin_client.post(reverse("admin:policies_policy_add"), {"name": "loud"}, follow=True)
    policy = Policy.objects.get(name="loud")
    assert "uppercase_nth_word" in answer.content.decode()
    form = url("new_version", policy, **{"class": "uppercase_nth_word"})
    assert 'value="2"' in admin_client.get(form).content.decode()
    answer = admin_client.post(form, {"config-n": "4", "note": "a try"}, follow=True)
    assert "Version loud@1 is stored" in answer.content.decode()
    answer = admin_client.get(url("activate", policy))
    assert "Put in force" in answer.content.decode()
    answer = admin_client.post(url("activate", policy), terms(policy.latest), follow=True)
    assert "Version loud@1 is in force in shadow mode" in answer.content.decode()
    answer = admin_client.post(url("switch_mode", policy), follow=True)
    assert "Version loud@1 is now in enforce mode" in answer.content.decode()
    answer = admin_client.post(url("end", policy), follow=True)
    assert "Policy loud is no longer in force" in answer.content.decode()
    version = policy.latest
    assert (version.config, version.note, version.author) == ({"n": 4}, "a try", "admin")
    assert [activation.mode for activation in policy.activations.all()] == ["enforce", "shadow"]
    assert policy.activations.last().terms == Terms(
        mode="shadow", scope=policy.activations.last().terms.scope, order=5, deadline=2.5
    )
    assert policy.activations.last().scope == {"teams": ["pay*", "ops"], "keys": ["*"], "models": ["*"]}
    assert actions == [
        ("admin", "policy.created"),
        ("admin", "policy.version_created"),
        ("admin", "policy.activated"),
        ("admin", "policy.activated"),
        ("admin", "policy.deactivated"),
    ]


def test_a_wrong_value_stands_beside_its_field_and_nothing_is_stored(admin_client, policy):
    answer = admin_client.post(url("new_version", policy, **{"class": "uppercase_nth_word"}), {"config-n": "0"})
    assert answer.context["form"].errors["n"] and not PolicyVersion.objects.exists()


def test_a_bad_name_is_refused(admin_client):
    answer = admin_client.post(reverse("admin:policies_policy_add"), {"name": "Not Good"})
    assert "Use small letters" in answer.content.decode() and not Policy.objects.exists()


def test_terms_out_of_range_are_refused(admin_client, policy, version):
    answer = admin_client.post(url("activate", policy), terms(version, percent="101", teams=""))
    assert set(answer.context["form"].errors) == {"percent", "teams"} and policy.current is None


def test_what_only_the_service_refuses_is_shown(admin_client, policy, version, monkeypatch):
    def refuse(*args, **kwargs):
        raise services.InvalidPolicy([("scope", "no")])

    monkeypatch.setattr(services, "activate", refuse)
    answer = admin_client.post(url("activate", policy), terms(version))
    assert answer.context["form"].non_field_errors() == ["scope: no"]


def test_another_policys_version_cannot_be_activated(admin_client, policy, version):
    other = services.create_policy("other", actor="ada")
    answer = admin_client.post(url("activate", other), terms(version))
    assert "version" in answer.context["form"].errors


def test_a_new_version_begins_with_the_values_of_the_last(admin_client, policy, version):
    assert (
        'value="3"' in admin_client.get(url("new_version", policy, **{"class": "uppercase_nth_word"})).content.decode()
    )


def test_an_activation_begins_with_the_terms_of_the_last(admin_client, policy, version):
    services.activate(version, Terms(order=77), actor="ada")
    newer = services.create_version(policy, "uppercase", {}, actor="ada")
    page = admin_client.get(url("activate", policy, version=version.pk)).content.decode()
    assert 'value="77"' in page and f'<option value="{version.pk}" selected>' in page
    assert f'<option value="{newer.pk}" selected>' in admin_client.get(url("activate", policy)).content.decode()


def test_a_class_that_is_not_registered_leads_to_the_catalogue(admin_client, policy, monkeypatch):
    monkeypatch.setattr(registry, "broken", lambda: {"theirs": "pkg:X: ImportError"})
    page = admin_client.get(url("new_version", policy, **{"class": "os.system"})).content.decode()
    assert "What should it do?" in page and "theirs is installed but cannot be loaded" in page


def test_the_page_shows_what_cannot_be_loaded(admin_client, policy, version, monkeypatch):
    services.activate(version, actor="ada")
    monkeypatch.setattr(registry, "catalogue", lambda: {})
    assert "blocks every call in its scope" in admin_client.get(url("change", policy)).content.decode()
    listed = admin_client.get(reverse("admin:policies_policy_changelist")).content.decode()
    assert "cannot be loaded: blocks" in listed


def test_the_lists_show_what_is_in_force(admin_client, policy, version, django_assert_max_num_queries):
    services.create_policy("idle", actor="ada")
    services.activate(version, Terms(mode="shadow"), actor="ada")
    with django_assert_max_num_queries(12):
        listed = admin_client.get(reverse("admin:policies_policy_changelist")).content.decode()
    assert "shadow" in listed and "not in force" in listed
    for model in ("policyversion", "activation"):
        assert "words" in admin_client.get(reverse(f"admin:policies_{model}_changelist")).content.decode()


@pytest.mark.parametrize("model", ["policy", "policyversion", "activation"])
@pytest.mark.parametrize("action", ["change", "delete"])
def test_history_is_neither_edited_nor_deleted(admin_client, policy, version, model, action):
    activation = services.activate(version, actor="ada")
    row = {"policy": policy, "policyversion": version, "activation": activation}[model]
    address = reverse(f"admin:policies_{model}_{action}", args=[row.pk])
    assert admin_client.post(address, {"name": "changed", "post": "yes"}).status_code == 403
    assert Activation.objects.get().ended_at is None and Policy.objects.get().name == "words"


@pytest.mark.parametrize("name", ["switch_mode", "end"])
def test_looking_at_an_address_changes_nothing(admin_client, policy, version, name):
    services.activate(version, actor="ada")
    assert admin_client.get(url(name, policy)).status_code == 405


@pytest.mark.parametrize("name", ["new_version", "activate", "switch_mode", "end"])
def test_staff_without_the_permission_change_nothing(client, policy, version, name):
    services.activate(version, actor="ada")
    client.force_login(User.objects.create_user("viewer", is_staff=True))
    assert client.post(url(name, policy)).status_code == 404
    assert policy.current is not None


def test_switching_what_is_not_in_force_changes_nothing(admin_client, policy, version):
    admin_client.post(url("switch_mode", policy))
    assert policy.current is None


def test_a_policy_that_is_not_there_is_not_found(admin_client):
    assert admin_client.get(reverse("admin:policies_policy_change", args=[99])).status_code == 404
