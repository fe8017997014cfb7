"""Who may open and post to which page of the policies: the matrix of roles and pages."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from luthien_site import roles
from observability.models import AuditEvent
from policies import services
from policies.models import Activation, Policy, PolicyVersion, Terms

pytestmark = pytest.mark.django_db

READING = ("policies", "policy-catalogue", "policy", "policy-history", "policy-version", "policy-diff")
WRITING = ("policy-new", "policy-version-new")
ACTIVATING = ("policy-activate", "policy-confirm", "policy-roll-back", "policy-end")
QUERIES = {"policy-diff": "?from=1&to=2", "policy-new": "?class=noop"}
POSTED = (*WRITING, *(name for name in ACTIVATING if name != "policy-activate"))
ALLOWED = {
    "admin": {*READING, *WRITING, *ACTIVATING},
    "policy author": {*READING, *WRITING},
    "reviewer": set(READING),
    "team": set[str](),
    "nobody": set[str](),
}


@pytest.fixture(autouse=True)
def words() -> Policy:
    """A policy of two versions, of which the second is in force."""
    roles.make()
    policy = services.create_policy("words", actor="ada")
    for number in (1, 2):
        version = services.create_version(policy, "uppercase_nth_word", {"n": number + 1}, actor="ada")
        services.activate(version, Terms(mode="shadow"), actor="ada")
    return policy


def address(name: str) -> str:
    if name in ("policies", "policy-catalogue", "policy-new"):
        return reverse(name) + QUERIES.get(name, "")
    if name == "policy-confirm":
        version = PolicyVersion.objects.get(number=1)
        terms = "mode=enforce&teams=*&keys=*&models=*&percent=10&order=0&on_failure=closed&deadline=30"
        return f"{reverse(name, args=['words'])}?version={version.pk}&{terms}"
    arguments = ["words", 1] if name == "policy-version" else ["words"]
    return reverse(name, args=arguments) + QUERIES.get(name, "")


def logged_in(role: str) -> Client:
    user = User.objects.create_user(role)
    user.groups.set(Group.objects.filter(name=role))
    client = Client()
    client.force_login(user)
    return client


def rows() -> tuple[int, ...]:
    """What a change would add to: rows of policies, and events about them."""
    events = AuditEvent.objects.filter(action__startswith="policy.").count()
    return Policy.objects.count(), PolicyVersion.objects.count(), Activation.objects.count(), events


@pytest.mark.parametrize("name", [*READING, *WRITING, *ACTIVATING])
@pytest.mark.parametrize("role", ALLOWED)
def test_a_page_opens_for_the_roles_that_may_see_it(role: str, name: str) -> None:
    assert logged_in(role).get(address(name)).status_code == (200 if name in ALLOWED[role] else 403)


@pytest.mark.parametrize("name", POSTED)
@pytest.mark.parametrize("role", [role for role in ALLOWED if role != "admin"])
def test_what_a_role_may_not_do_it_cannot_post(role: str, name: str) -> None:
    before = rows()
    current = Activation.objects.get(ended_at=None)
    answer = logged_in(role).post(address(name), {"name": "mine", "config.n": "7", "seen": str(current.pk)})
    assert answer.status_code == (302 if name in ALLOWED[role] else 403)
    if answer.status_code == 403:
        assert rows() == before


@pytest.mark.parametrize("name", [*READING, *WRITING, *ACTIVATING])
def test_a_stranger_is_asked_to_log_in(name: str) -> None:
    answer = Client().get(address(name))
    assert answer.status_code == 302 and answer.headers["location"].startswith("/login/?next=/policies/")


@pytest.mark.parametrize("role", ALLOWED)
def test_pages_offer_what_a_role_may_do_and_nothing_else(role: str) -> None:
    client = logged_in(role)
    header = client.get("/").content.decode()
    assert ('href="/policies/"' in header) == ("policies" in ALLOWED[role])
    if "policy" in ALLOWED[role]:
        page = client.get(address("policy")).content.decode()
        assert ("New version" in page) == ("policy-version-new" in ALLOWED[role])
        assert ("Roll back" in page) == ("policy-roll-back" in ALLOWED[role])
        assert ("Enforce for all" in page) == ("policy-confirm" in ALLOWED[role])
        assert ("Take out of force" in page) == ("policy-end" in ALLOWED[role])


def test_the_right_to_write_or_activate_is_nothing_without_the_right_to_read() -> None:
    user = User.objects.create_user("blind")
    user.user_permissions.set(roles._permissions(("policies.add_policyversion", "policies.add_activation")))
    client = Client()
    client.force_login(user)
    assert {client.get(address(name)).status_code for name in (*WRITING, *ACTIVATING)} == {403}


@pytest.mark.parametrize("name", POSTED)
def test_a_post_of_another_site_is_refused(name: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("root"))
    assert client.post(address(name), {"seen": "1"}).status_code == 403
