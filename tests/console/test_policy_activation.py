"""The pages that put policies in force and take them back."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from observability.figures import policy_figures
from observability.figures.seldom import Seldom
from policies import services
from policies.active import Scope
from policies.models import Activation, Policy, Terms
from tests.console.policy_rows import confirmation, done, in_force, page, seen, version
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


def test_up_the_ladder_and_down_again(ada: Client) -> None:
    first, second = version(n=2), version(n=3)
    assert "Put in shadow" in page(ada, "policy", "words")
    for chosen, mode, percent in ((first, "shadow", "100"), (first, "enforce", "10"), (second, "enforce", "100")):
        address = confirmation(chosen, mode=mode, percent=percent)
        assert "Nothing has changed yet" in ada.get(address).content.decode()
        assert ada.post(address, seen()).status_code == 302
        assert in_force() == (chosen.number, mode, int(percent))
    back = page(ada, "policy-roll-back", "words")
    assert "Roll back to version 1" in back
    assert ada.post(reverse("policy-roll-back", args=["words"]), seen()).status_code == 302
    assert in_force() == (1, "enforce", 100)
    assert "no longer judges every call" in page(ada, "policy-end", "words")
    assert ada.post(reverse("policy-end", args=["words"]), seen()).status_code == 302
    assert in_force() is None
    actions = [action for actor, action in done() if actor == "ada"]
    assert actions == [*(["policy.activated"] * 4), "policy.rolled_back", "policy.deactivated"]


def test_the_steps_of_the_ladder_keep_the_other_terms(ada: Client) -> None:
    terms = Terms(
        mode="shadow", scope=Scope(("payments", "re*")), order=7, on_failure="open", deadline=2.5, redacted=True
    )
    services.activate(version(), terms, actor="bob")
    links = page(ada, "policy", "words").split('href="/policies/words/activate/confirm/')
    query = next(link for link in links if "Enforce for all" in link).split('"')[0].replace("&amp;", "&")
    address = reverse("policy-confirm", args=["words"]) + query
    assert ada.post(address, seen()).status_code == 302
    current = Activation.objects.get(ended_at=None)
    assert current.terms == Terms("enforce", terms.scope, 100, 7, "open", 2.5, True)


def test_a_review_says_what_the_version_did_lately_and_what_may_break(ada: Client) -> None:
    rules = [{"find": "a", "replace": "b"}]
    policy = services.create_policy("names", actor="bob")
    chosen = services.create_version(policy, "string_replacement", {"rules": rules, "requests": True}, actor="bob")
    assert "judged nothing" in ada.get(confirmation(chosen)).content.decode()
    judged("call", "block", "allow", policy="names")
    policy_figures._recent = Seldom(policy_figures._look)
    told = ada.get(confirmation(chosen, mode="enforce", percent="20")).content.decode()
    assert "gave 2 verdicts: 0 changed, 1 blocked" in told
    assert "bind their thinking to everything before it" in told and "come over to the other side" in told


def test_what_somebody_changed_meanwhile_is_looked_at_again(ada: Client) -> None:
    chosen = version()
    services.activate(chosen, Terms(order=3), actor="bob")
    for address in (confirmation(chosen), *(reverse(name, args=["words"]) for name in ("policy-end",))):
        answer = ada.post(address, {"seen": "none"})
        assert answer.status_code == 200 and "Somebody changed what is in force" in answer.content.decode()
    assert in_force() == (1, "enforce", 100)


def test_terms_that_cannot_be_are_told(ada: Client) -> None:
    answer = ada.get(confirmation(version(), percent="101", teams=""))
    assert answer.status_code == 422 and answer.content.decode().count('aria-invalid="true"') == 2


def test_terms_begin_as_the_last_ones_were(ada: Client) -> None:
    services.activate(version(note="The first"), Terms(order=42, percent=30), actor="bob")
    form = page(ada, "policy-activate", "words")
    assert 'value="42"' in form and 'value="30"' in form and "1: The first" in form
    services.create_policy("empty", actor="bob")
    assert "There is no version yet" in page(ada, "policy-activate", "empty")


def test_a_version_before_which_there_was_none_cannot_be_rolled_back(ada: Client) -> None:
    services.activate(version(), actor="bob")
    answer = ada.get(reverse("policy-roll-back", args=["words"]), follow=True)
    assert "no earlier version" in answer.content.decode()
    answer = ada.get(reverse("policy-end", args=[version("other").policy.name]), follow=True)
    assert "Nothing of other is in force" in answer.content.decode()


def test_after_the_end_the_version_before_the_last_can_still_be_rolled_back_to(ada: Client) -> None:
    for n in (2, 3):
        services.activate(version(n=n), actor="bob")
    services.deactivate(Policy.objects.get(), actor="bob")
    assert "Roll back to version 1" in page(ada, "policy", "words")
