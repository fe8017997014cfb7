import pytest
from pytest_django import DjangoAssertNumQueries

from policies import models, registry, services, snapshot
from policies.active import Scope
from policies.base import ANSWER_HOOKS, Policy
from policies.content import Request, Response, Text, Thinking, ToolCall
from policies.models import Terms
from policies.testing import Judged, judge
from policies.verdicts import Verdict

pytestmark = pytest.mark.django_db


@pytest.fixture
def policy() -> models.Policy:
    return services.create_policy("words", actor="ada")


def put_in_force(policy: models.Policy, n: int = 2, terms: Terms | None = None) -> models.Activation:
    version = services.create_version(policy, "uppercase_nth_word", {"n": n}, actor="ada")
    return services.activate(version, terms, actor="ada")


@pytest.fixture
def uninstalled(monkeypatch: pytest.MonkeyPatch, policy: models.Policy) -> None:
    """`words` is in force, and its class is gone."""
    put_in_force(policy)
    rest = {name: cls for name, cls in registry.catalogue().items() if name != "uppercase_nth_word"}
    monkeypatch.setattr(registry, "catalogue", lambda: rest)
    snapshot._instances.clear()


def test_nothing_is_in_force_at_first() -> None:
    assert snapshot.active_set().activations == ()


def test_an_activation_is_compiled_with_its_terms(policy: models.Policy) -> None:
    terms = Terms("shadow", Scope(models=("claude-*",)), 100, 3, "open", 1.5, True)
    put_in_force(policy, 2, terms)
    (active,) = snapshot.active_set().activations
    assert (active.name, active.version, active.mode, active.order) == ("words", 1, "shadow", 3)
    assert (active.scope, active.on_failure, active.deadline, active.redacted) == (terms.scope, "open", 1.5, True)
    assert active.policy.config.model_dump() == {"n": 2}


def test_policies_stand_in_their_order_and_then_by_name(policy: models.Policy) -> None:
    for name, order in (("b", 0), ("a", 0), ("first", -1)):
        put_in_force(services.create_policy(name, actor="ada"), 2, Terms(order=order))
    assert [active.name for active in snapshot.active_set().activations] == ["first", "a", "b"]


def test_sessions_outside_the_percentage_get_the_activation_before(policy: models.Policy) -> None:
    for percent in (100, 50, 10):
        put_in_force(policy, percent, Terms(percent=percent))
    active = snapshot.active_set().activations[0]
    chosen = [active.for_session(f"session {number}") for number in range(2000)]
    assert {(one.version, one.percent) for one in chosen if one} == {(3, 10), (2, 50), (1, 100)}
    served = [one.percent for one in chosen if one]
    assert 100 < served.count(10) < 300 and 650 < served.count(50) < 950
    assert served.count(100) == 2000 - served.count(10) - served.count(50)


def test_an_unchanged_version_keeps_its_object(policy: models.Policy) -> None:
    put_in_force(policy)
    before = snapshot.active_set().activations[0].policy
    put_in_force(services.create_policy("other", actor="ada"), 3)
    after = {active.name: active.policy for active in snapshot.active_set().activations}
    assert after["words"] is before and after["other"] is not before
    put_in_force(policy, 5)
    assert {active.name: active.policy for active in snapshot.active_set().activations}["words"] is not before


def test_reading_takes_two_queries(policy: models.Policy, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    put_in_force(policy)
    put_in_force(services.create_policy("other", actor="ada"))
    with django_assert_num_queries(2):
        snapshot.active_set()


async def verdicts(policy: Policy) -> list[Verdict]:
    things: list[Judged] = [Request("m"), Text("t"), Thinking("t"), ToolCall("1", "bash"), Response()]
    return [await judge(policy, thing) for thing in things]


def test_a_version_whose_class_is_gone_is_loaded_as_one_that_blocks(
    uninstalled: None, caplog: pytest.LogCaptureFixture
) -> None:
    (active,) = snapshot.active_set().activations
    assert (active.name, active.version) == ("words", 1)
    assert isinstance(active.policy, snapshot.Unavailable)
    assert "uppercase_nth_word" in active.policy.error and "words@1 cannot be loaded" in caplog.text


async def test_what_cannot_be_loaded_blocks_whatever_it_is_asked_about() -> None:
    for verdict in await verdicts(snapshot.Unavailable("words", "gone")):
        assert (verdict.action, verdict.reason) == ("block", "policy words cannot be loaded")


def test_what_cannot_be_loaded_has_every_hook_that_judges() -> None:
    judging = {hook for hook in (*ANSWER_HOOKS, "on_request") if "-> Verdict" in _signature(hook)}
    assert all(snapshot.Unavailable("words", "gone").overrides(hook) for hook in judging) and len(judging) == 5


def _signature(hook: str) -> str:
    return f"-> {getattr(Policy, hook).__annotations__['return']}"


def test_it_is_loaded_again_once_it_is_back(
    policy: models.Policy, uninstalled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot.active_set()
    monkeypatch.undo()
    assert not isinstance(snapshot.active_set().activations[0].policy, snapshot.Unavailable)


def test_a_version_whose_config_no_longer_validates_blocks_too(
    policy: models.Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = put_in_force(policy).version
    monkeypatch.setattr(registry, "catalogue", lambda: {"uppercase_nth_word": Policy})
    snapshot._instances.clear()
    assert isinstance(snapshot.active_set().activations[0].policy, snapshot.Unavailable)
    assert snapshot.problem(version).startswith("n: Extra inputs")


def test_a_version_that_loads_has_no_problem(policy: models.Policy) -> None:
    assert snapshot.problem(put_in_force(policy).version) == ""
