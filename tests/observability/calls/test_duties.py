from typing import Any

import pytest

from observability.calls.duties import duties
from observability.models import CallRecord
from policies import services
from policies.models import Terms
from tests.observability.calls.recorded import Verdict

pytestmark = pytest.mark.django_db


@pytest.fixture
def guard() -> None:
    """A policy `guard` that judges tool calls, enforced in its version 1 and in shadow in its version 2."""
    policy = services.create_policy("guard", actor="ada")
    for mode in ("enforce", "shadow"):
        config: dict[str, Any] = {}
        version = services.create_version(policy, "block_dangerous_commands", config, actor="ada", note=mode)
        services.activate(version, Terms(mode=mode), actor="ada")


def of(policies: str, *verdicts: Verdict) -> dict[tuple[str, int], bool]:
    """The versions with duties, and whether judging tool calls is among these."""
    found = duties(CallRecord(policies=policies), verdicts)
    return {who: "on_tool_call" in hooks for who, hooks in found.items()}


def test_a_version_that_was_enforced_had_to_judge_what_it_has_hooks_for(
    guard: None, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(2):
        assert of("guard@1, gone@4, no-number@x") == {("guard", 1): True}


def test_who_may_have_been_in_shadow_has_no_duty_unless_its_verdict_says_so(guard: None) -> None:
    assert of("guard@2") == {}
    assert of("guard@2", Verdict("tool_call a", version=2)) == {("guard", 2): True}
    assert of("guard@1", Verdict("tool_call a", mode="shadow")) == {}


def test_without_policies_nothing_is_asked(guard: None, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert of("") == {}


def test_a_policy_that_can_no_longer_be_loaded_has_no_known_hook(guard: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("policies.registry.catalogue", dict)
    assert of("guard@1") == {("guard", 1): False}
