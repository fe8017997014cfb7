import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Model

from policies import services, snapshot
from policies.active import Scope
from policies.models import Activation, Immutable, Policy, PolicyVersion, Terms, checksum
from policies.signals import changed

pytestmark = pytest.mark.django_db


changed_rows: list[str] = []
"""The rows that were announced with the changes, as text."""


@pytest.fixture
def announced() -> Iterator[list[dict[str, Any]]]:
    heard: list[dict[str, Any]] = []
    changed_rows.clear()

    def listen(sender: object, signal: object, rows: Sequence[Model], **kwargs: Any) -> None:
        json.dumps(kwargs)
        changed_rows.extend(map(str, rows))
        heard.append(kwargs)

    changed.connect(listen)
    yield heard
    changed.disconnect(listen)


@pytest.fixture
def policy() -> Policy:
    return services.create_policy("words", actor="ada")


def version(policy: Policy, n: int = 2) -> PolicyVersion:
    return services.create_version(policy, "uppercase_nth_word", {"n": n}, actor="ada", note="because")


def test_a_policy_is_announced_with_its_actor(announced: list[dict[str, Any]]) -> None:
    services.create_policy("no-shell.deletes_1", actor="ada")
    assert announced == [
        {"actor": "ada", "action": "policy.created", "subject": "no-shell.deletes_1", "detail": {}},
    ]


@pytest.mark.parametrize("name", ["", "Words", "two words", "-x", "a" * 101, "a\n"])
def test_a_bad_name_is_refused_and_the_field_named(name: str) -> None:
    with pytest.raises(services.InvalidPolicy, match=r"^name: "):
        services.create_policy(name, actor="ada")


def test_a_name_is_taken_once(policy: Policy) -> None:
    with pytest.raises(services.InvalidPolicy, match=r"^name: .*already exists"):
        services.create_policy("words", actor="ada")


def test_versions_are_numbered_and_hold_their_defaults(policy: Policy, announced: list[dict[str, Any]]) -> None:
    first, second = version(policy), services.create_version(policy, "uppercase", {}, actor="bob")
    assert (first.number, second.number, second.config) == (1, 2, {"requests": False})
    assert second.checksum == checksum("uppercase", {"requests": False})
    assert announced[0]["detail"] == {"version": 1, "checksum": first.checksum}
    assert (first.author, first.note, str(first), policy.latest) == ("ada", "because", "words@1", second)


def test_the_checksum_does_not_depend_on_the_order_of_keys() -> None:
    assert checksum("x", {"a": 1, "b": 2}) == checksum("x", {"b": 2, "a": 1}) != checksum("y", {"a": 1, "b": 2})


@pytest.mark.parametrize(
    ("registered", "config", "field"),
    [
        ("uppercase_nth_word", {"n": 0}, "config.n: "),
        ("uppercase_nth_word", {"m": 1}, "config.m: Extra"),
        ("string_replacement", {"rules": [{"find": "a"}]}, "config.rules.0.replace: "),
        ("string_replacement", {"rules": [{"find": "(", "replace": "", "regex": True}]}, "config.rules.0"),
        ("os.system", {}, "registered_name: no policy is registered as 'os.system'"),
    ],
)
def test_a_config_that_does_not_validate_is_refused_and_the_field_named(
    policy: Policy, registered: str, config: dict[str, Any], field: str
) -> None:
    with pytest.raises(services.InvalidPolicy, match=rf"^{field}"):
        services.create_version(policy, registered, config, actor="ada")
    assert not PolicyVersion.objects.exists()


def test_an_activation_takes_the_place_of_the_one_before(policy: Policy, announced: list[dict[str, Any]]) -> None:
    old = services.activate(version(policy), Terms(mode="shadow"), actor="ada")
    new = services.activate(version(policy, 3), Terms(scope=Scope(teams=("pay*",)), order=7), actor="bob")
    old.refresh_from_db()
    assert old.ended_at and not new.ended_at and new.previous is None and policy.current == new
    assert new.terms == Terms(scope=Scope(teams=("pay*",)), order=7)
    assert [news["action"] for news in announced if "mode" in news["detail"]] == ["policy.activated"] * 2
    assert announced[-1]["detail"]["scope"] == {"teams": ["pay*"], "keys": ["*"], "models": ["*"]}


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        (Terms(percent=101), "percent"),
        (Terms(percent=-1), "percent"),
        (Terms(deadline=0.0), "deadline"),
        (Terms(deadline=241), "deadline"),
        (Terms(mode="off"), "mode"),  # type: ignore[arg-type]
        (Terms(on_failure="ajar"), "on_failure"),  # type: ignore[arg-type]
        (Terms(scope=Scope(keys=())), "scope"),
    ],
)
def test_terms_out_of_range_are_refused_and_the_field_named(policy: Policy, terms: Terms, field: str) -> None:
    made = version(policy)
    before = services.activate(made, actor="ada")
    with pytest.raises(services.InvalidPolicy, match=rf"^{field}: "):
        services.activate(made, terms, actor="ada")
    assert policy.current == before


@pytest.mark.parametrize("scope", [[], {"teams": ["*"]}, {"teams": "*", "keys": ["*"], "models": ["*"]}])
def test_a_scope_of_another_shape_is_refused(policy: Policy, scope: Any) -> None:
    with pytest.raises(Exception, match="scope"):
        Activation(policy=policy, version=version(policy), scope=scope, author="ada").full_clean()


def test_the_rest_of_the_sessions_stay_with_the_activation_before(policy: Policy) -> None:
    first = services.activate(version(policy), actor="ada")
    tenth = services.activate(version(policy), Terms(percent=10), actor="ada")
    half = services.activate(tenth.version, Terms(percent=50), actor="ada")
    twentieth = services.activate(tenth.version, Terms(percent=20), actor="ada")
    assert (tenth.previous, half.previous, twentieth.previous) == (first, first, half)


def test_what_nobody_had_before_a_percentage_nobody_has_besides_it(policy: Policy) -> None:
    made = version(policy)
    services.activate(made, actor="ada")
    services.deactivate(policy, actor="ada")
    assert services.activate(made, Terms(percent=10), actor="ada").previous is None


def test_what_came_in_or_changed_is_announced_as_rows(policy: Policy, announced: list[dict[str, Any]]) -> None:
    first, second = version(policy), version(policy)
    services.activate(first, actor="ada")
    services.activate(second, Terms(mode="shadow"), actor="ada")
    services.deactivate(policy, actor="ada")
    versions = ["words@1", "words@2"]
    activations = ["words@1 (enforce)", "words@2 (shadow)", "words@1 (enforce)", "words@2 (shadow)"]
    assert changed_rows == [*versions, *activations]


def test_deactivation_ends_what_is_in_force(policy: Policy, announced: list[dict[str, Any]]) -> None:
    services.activate(version(policy), actor="ada")
    services.deactivate(policy, actor="bob")
    assert policy.current is None
    assert announced[-1] == {
        "actor": "bob",
        "action": "policy.deactivated",
        "subject": "words",
        "detail": {"version": 1},
    }
    services.deactivate(policy, actor="bob")
    assert len(announced) == 3


def test_rolling_back_keeps_the_terms_and_serves_everybody(policy: Policy, announced: list[dict[str, Any]]) -> None:
    version(policy)
    services.activate(version(policy, 3), Terms(order=4, percent=10, deadline=5), actor="ada")
    back = services.roll_back(policy, 1, actor="ada")
    assert back.version.number == 1 and back.terms == Terms(order=4, deadline=5)
    assert announced[-1]["detail"] == {"version": 1, "from_version": 2}


def test_rolling_back_to_nowhere_is_refused(policy: Policy) -> None:
    with pytest.raises(services.InvalidPolicy, match="words has no version 1"):
        services.roll_back(policy, 1, actor="ada")
    version(policy)
    with pytest.raises(services.InvalidPolicy, match="words was never in force"):
        services.roll_back(policy, 1, actor="ada")


def test_history_is_neither_changed_nor_deleted(policy: Policy) -> None:
    made = services.activate(version(policy), actor="ada")
    for row in (policy, made.version, made):
        with pytest.raises(Immutable):
            row.save()
        with pytest.raises(Immutable):
            row.delete()
        with pytest.raises(Immutable):
            type(row).objects.all().delete()
        with pytest.raises(Immutable):
            type(row).objects.update(created_at=None)


def test_an_activation_ends_once(policy: Policy) -> None:
    made = services.activate(version(policy), actor="ada")
    services.deactivate(policy, actor="ada")
    made.refresh_from_db()
    with pytest.raises(Immutable):
        made.end(made.created_at)


def test_the_database_allows_one_activation_in_force(policy: Policy) -> None:
    made = services.activate(version(policy), actor="ada")
    with pytest.raises(IntegrityError), transaction.atomic():
        Activation(policy=policy, version=made.version, scope=made.scope, author="ada").save()


def test_every_change_of_what_is_in_force_raises_the_revision(policy: Policy) -> None:
    made = version(policy)
    assert services.revision() == 0
    services.activate(made, actor="ada")
    services.deactivate(policy, actor="ada")
    services.roll_back(policy, 1, actor="ada")
    assert services.revision() == 3
    assert snapshot.active_set().number == 3


def test_a_receiver_that_raises_undoes_the_change(policy: Policy) -> None:
    def refuse(**kwargs: Any) -> None:
        raise RuntimeError("no audit, no change")

    made = version(policy)
    changed.connect(refuse)
    try:
        with pytest.raises(RuntimeError), transaction.atomic():
            services.activate(made, actor="ada")
    finally:
        changed.disconnect(refuse)
    assert policy.current is None and services.revision() == 0


@pytest.mark.django_db(transaction=True)
def test_a_change_outside_of_a_transaction_is_not_counted() -> None:
    with pytest.raises(transaction.TransactionManagementError):
        services.touch_revision()


def test_rows_read_as_what_they_are(policy: Policy) -> None:
    made = services.activate(version(policy), Terms(mode="shadow"), actor="ada")
    assert (str(policy), str(made)) == ("words", "words@1 (shadow)")
    assert Policy.objects.get(name="words").latest == made.version


def test_a_policy_without_settings_has_an_empty_configuration() -> None:
    version = services.create_version(services.create_policy("quiet", actor="ada"), "noop", {}, actor="ada")
    assert version.config == {}
