"""The pages of policies, asked as a browser asks them."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from gateway.templatetags.policy_words import prose
from observability.figures import policy_figures, seldom
from observability.figures.seldom import Seldom
from policies import registry, services
from policies.active import Scope
from policies.models import Policy, PolicyVersion, Terms
from tests.console.policy_rows import done, page, version
from tests.observability.figures.test_policy_figures import judged

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("ada"))
    return client


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy_figures, "_recent", Seldom(policy_figures._look))
    monkeypatch.setattr(seldom, "SHARE", 1e-6)


def test_an_empty_house_says_how_to_begin(ada: Client) -> None:
    assert "No policies yet" in page(ada, "policies")


def test_the_list_shows_what_is_in_force_first_in_its_order_with_its_verdicts(ada: Client) -> None:
    version("a-idle")
    services.activate(version("b-second"), Terms(order=2, scope=Scope(("payments",))), actor="bob")
    services.activate(version("c-first"), Terms(order=1, mode="shadow", on_failure="open"), actor="bob")
    judged("call", "block", "replace", policy="b-second")
    listed = page(ada, "policies")
    assert listed.index(">c-first<") < listed.index(">b-second<") < listed.index(">a-idle<")
    assert "fails open" in listed and "calls of teams payments" in listed and "not in force" in listed
    assert 'ink-blocked">1<' in listed and 'ink-changed">1<' in listed


def test_the_catalogue_is_searched_and_shows_what_is_broken(ada: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "broken", lambda: {"theirs": "their.module:Policy: ImportError: <b>no</b>"})
    found = page(ada, "policy-catalogue", query="?q=shell&category=tools")
    assert "block_dangerous_commands" in found and "string_replacement" not in found
    assert "ImportError: &lt;b&gt;no&lt;/b&gt;" in found
    assert "No policy matches" in page(ada, "policy-catalogue", query="?q=nothing-like-it")
    assert "versions/new/?class=noop" in page(ada, "policy-catalogue", query="?policy=words")


def test_code_in_a_policys_text_is_shown_as_code_and_escaped() -> None:
    assert prose("Use `a < b` or `c`.") == "Use <code>a &lt; b</code> or <code>c</code>."
    assert prose("<b> it`s") == "&lt;b&gt; it`s"


def test_a_policy_is_made_with_its_first_version(ada: Client) -> None:
    form = page(ada, "policy-new", query="?class=string_replacement")
    assert 'value="string-replacement"' in form
    sent = {
        **{"name": "names", "note": " why ", "config.requests": "on"},
        **{"config.rules.0": "", "config.rules.0.find": "a", "config.rules.0.replace": "b"},
    }
    answer = ada.post(reverse("policy-new") + "?class=string_replacement", sent)
    assert answer.headers["location"] == "/policies/names/"
    made = PolicyVersion.objects.get()
    assert (made.author, made.note, made.config["rules"][0]["find"], made.config["requests"]) == (
        "ada",
        "why",
        "a",
        True,
    )
    assert done() == [("ada", "policy.created"), ("ada", "policy.version_created")]


@pytest.mark.parametrize(
    ("name", "find", "told"),
    [
        ("Not Good", "a", "Use small letters"),
        ("catalogue", "a", "the console&#x27;s own"),
        ("taken", "a", "already exists"),
        ("names", "", "at least 1 character"),
    ],
)
def test_what_cannot_be_stored_is_told_and_nothing_is_stored(ada: Client, name: str, find: str, told: str) -> None:
    services.create_policy("taken", actor="bob")
    sent = {"name": name, "config.rules.0": "", "config.rules.0.find": find, "config.rules.0.replace": "<kept>"}
    answer = ada.post(reverse("policy-new") + "?class=string_replacement", sent)
    assert answer.status_code == 422
    body = answer.content.decode()
    assert told in body and "&lt;kept&gt;" in body and 'aria-invalid="true"' in body
    assert (Policy.objects.count(), PolicyVersion.objects.count()) == (1, 0)


def test_the_forms_own_buttons_change_the_form_and_store_nothing(ada: Client) -> None:
    address = reverse("policy-new") + "?class=string_replacement"
    body = ada.post(address, {"name": "names", "note": "why", "edit": "add:config.rules"}).content.decode()
    assert 'name="config.rules.0.find"' in body and "autofocus" in body and 'value="why"' in body
    body = ada.post(address, {"name": "names", "edit": "json"}).content.decode()
    assert 'name="config-json"' in body
    assert not Policy.objects.exists()


def test_an_expert_writes_json_and_is_told_where_it_is_wrong(ada: Client) -> None:
    version()
    address = reverse("policy-version-new", args=["words"])
    answer = ada.post(address, {"config-json": '{"n": 0}'})
    assert answer.status_code == 422 and "<code>n</code>" in answer.content.decode()
    assert ada.post(address, {"config-json": '{"n": 9}'}).status_code == 302
    assert PolicyVersion.objects.get(number=2).config == {"n": 9}


def test_a_policy_class_that_cannot_be_made_is_told(ada: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise registry.InvalidConfig([("", "noop cannot be made: OSError")])

    monkeypatch.setattr(registry, "build", refuse)
    answer = ada.post(reverse("policy-new") + "?class=noop", {"name": "x"})
    assert answer.status_code == 422 and "noop cannot be made" in answer.content.decode()
    services.create_policy("y", actor="bob")
    answer = ada.post(reverse("policy-version-new", args=["y"]) + "?class=noop", {})
    assert answer.status_code == 422 and "noop cannot be made" in answer.content.decode()


def test_a_new_version_begins_as_the_newest_or_the_one_that_is_named(ada: Client) -> None:
    version(n=5)
    version(n=7)
    assert 'name="config.n" value="7"' in page(ada, "policy-version-new", "words")
    assert 'name="config.n" value="5"' in page(ada, "policy-version-new", "words", query="?from=1")
    other = page(ada, "policy-version-new", "words", query="?class=noop")
    assert "There is nothing to set" in other


def test_a_config_of_another_age_is_shown_as_json_with_what_is_wrong(
    ada: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    version()
    noop = registry.catalogue()["noop"]
    monkeypatch.setattr(registry, "catalogue", lambda: {"uppercase_nth_word": noop})
    shown = page(ada, "policy-version-new", "words")
    assert 'name="config-json"' in shown and "<code>n</code>: Extra inputs are not permitted" in shown
    assert "It was not stored" not in shown


@pytest.mark.parametrize(
    "address",
    [
        *("/policies/nobody/", "/policies/words/versions/9/", "/policies/words/diff/?from=1&to=x"),
        *("/policies/words/versions/new/?class=none", "/policies/new/", "/policies/words/activate/?version=99"),
        *("/policies/words/versions/new/?from=\u0663", "/policies/words/roll-back/?version=12345678901"),
    ],
)
def test_what_is_not_there_is_not_found(ada: Client, address: str) -> None:
    version()
    assert ada.get(address).status_code == 404


def test_a_policys_page_says_what_it_does_and_who_changed_what(ada: Client) -> None:
    services.activate(version(note="<i>first</i>"), Terms(mode="shadow"), actor="bob")
    services.activate(version(n=3), Terms(percent=20), actor="bob")
    judged("call_b", "block", policy="words", version=2, reason="<script>")
    shown = page(ada, "policy", "words")
    assert "The other sessions stay with version 1" in shown and "Some sessions <span" in shown
    assert "/calls/call_b/" in shown and "&lt;script&gt;" in shown and "&lt;i&gt;first&lt;/i&gt;" in shown
    assert "put version 2 in force: enforce for 20 % of sessions" in shown
    assert PolicyVersion.objects.get(number=2).checksum[:12] in shown
    assert "put version 1 in force" in page(ada, "policy-history", "words")


def test_a_newer_version_is_offered_and_a_broken_one_told(ada: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    services.activate(version(), Terms(percent=20), actor="bob")
    version(n=3)
    shown = page(ada, "policy", "words")
    assert "Version 2 is newer" in shown and "not judged by this policy" in shown
    monkeypatch.setattr(registry, "catalogue", lambda: {})
    assert "cannot be loaded, so it blocks" in page(ada, "policy", "words")
    assert "It cannot be loaded" in page(ada, "policy-version", "words", 1)
    assert "cannot be loaded" in page(ada, "policies")


def test_two_versions_are_compared_setting_by_setting(ada: Client) -> None:
    version(n=2, note="two")
    version(n=3)
    shown = page(ada, "policy-diff", "words", query="?from=1&to=2")
    assert '<del class="value">2</del>' in shown and '<ins class="value">3</ins>' in shown
    assert "same version" in page(ada, "policy-diff", "words", query="?from=1&to=1")
    version(n=3)
    assert "Both do the same" in page(ada, "policy-diff", "words", query="?from=2&to=3")
    assert "What changed since version 1" in page(ada, "policy-version", "words", 2)


def test_a_policys_page_asks_the_database_as_often_however_long_its_history(
    ada: Client, django_assert_max_num_queries: Any
) -> None:
    for n in range(2, 8):
        services.activate(version(n=n), Terms(percent=n), actor="bob")
    page(ada, "policy", "words")
    with django_assert_max_num_queries(24):
        page(ada, "policy", "words")
