import pytest

from policies import services
from policies.active import Scope
from policies.forms import ActivationForm, terms_initial
from policies.models import Policy, PolicyVersion, Terms

pytestmark = pytest.mark.django_db


@pytest.fixture
def policy() -> Policy:
    return services.create_policy("words", actor="ada")


@pytest.fixture
def version(policy: Policy) -> PolicyVersion:
    return services.create_version(policy, "noop", {}, actor="ada", note="The first")


def sent(version: PolicyVersion, **changed: str) -> dict[str, str]:
    names = {"version": str(version.pk), "mode": "enforce", "teams": " pay* \n\nops", "keys": "*", "models": "*"}
    return {**names, "percent": "25", "order": "-5", "on_failure": "closed", "deadline": "2.5", **changed}


def test_what_is_sent_becomes_terms(policy: Policy, version: PolicyVersion) -> None:
    form = ActivationForm(policy, sent(version))
    assert form.is_valid()
    assert form.version_chosen == version
    assert form.terms == Terms("enforce", Scope(("pay*", "ops")), 25, -5, "closed", 2.5)


def test_the_terms_of_an_activation_are_shown_as_they_are(policy: Policy, version: PolicyVersion) -> None:
    terms = Terms("enforce", Scope(("pay*", "ops"), models=("a", "b")), 25, 7, "open", 2.5, True)
    shown = ActivationForm(policy, initial=terms_initial(services.activate(version, terms, actor="ada")))
    assert shown["teams"].value() == "pay*\nops"
    again = ActivationForm(policy, {"version": version.pk, **{name: shown[name].value() for name in shown.fields}})
    assert not again.is_valid() or again.terms == terms


@pytest.mark.parametrize(
    ("field", "value"),
    [("percent", "101"), ("percent", "-1"), ("teams", " \n "), ("deadline", "0"), ("deadline", "nan"), ("mode", "off")],
)
def test_terms_that_cannot_be_are_told_beside_their_field(version: PolicyVersion, field: str, value: str) -> None:
    form = ActivationForm(version.policy, sent(version, **{field: value}))
    assert not form.is_valid() and list(form.errors) == [field]


def test_only_versions_of_the_policy_can_be_chosen(version: PolicyVersion) -> None:
    other = services.create_policy("other", actor="ada")
    assert not ActivationForm(other, sent(version)).is_valid()


def test_each_field_stands_in_one_group_and_a_version_is_named_with_its_note(version: PolicyVersion) -> None:
    form = ActivationForm(version.policy)
    assert sorted(field.name for group in form.groups for field in group.fields) == sorted(form.fields)
    assert "1: The first" in str(form["version"])
