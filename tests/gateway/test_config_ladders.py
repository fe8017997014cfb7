"""Policies in a configuration file: what serves the sessions outside a percentage, versions, and there and back."""

from pathlib import Path

import pytest
from django.db.models import QuerySet

from gateway import config_file
from gateway.config_file.shape import PolicyEntry
from policies import services
from policies.active import Scope
from policies.models import Activation, Policy, PolicyVersion, Terms
from policies.services import revision
from tests.gateway.test_config_file import apply, problems

pytestmark = pytest.mark.django_db

LADDERS = """\
policies:
- name: words
  policy: uppercase_nth_word
  config: {n: 4}
  note: louder
  mode: shadow
  scope: {teams: [pay*], keys: [ci], models: [claude-*, gpt-*]}
  percent: 5
  order: -7
  on_failure: open
  deadline: 2.5
  record: redacted
  previous:
    policy: uppercase_nth_word
    config: {n: 3}
    note: once more
    percent: 50
    order: 3
    previous: {policy: uppercase_nth_word, config: {n: 2}, mode: shadow, order: 1}
- {name: some, policy: uppercase, percent: 0, previous: null}
- {name: kept, policy: tool_filter, config: {deny: ["a$${b}", "ü*"]}, enabled: false, note: "a draft\\n"}
"""


def policies_emptied() -> None:
    # History cannot be deleted by its own means.
    for model in (Activation, PolicyVersion, Policy):
        QuerySet(model)._raw_delete("default")


def standing(name: str) -> list[tuple[int, str, int]]:
    """Number, note and percentage of what is in force, and of what serves the sessions outside it."""
    found, row = [], Policy.objects.get(name=name).current
    while row is not None:
        found.append((row.version.number, row.version.note, row.percent))
        row = row.previous
    return found


def test_everything_about_policies_goes_through_an_export_into_an_empty_database_and_back() -> None:
    assert apply(LADDERS)
    assert standing("words") == [(3, "louder", 5), (2, "once more", 50), (1, "configuration file", 100)]
    assert standing("some") == [(1, "configuration file", 0)] and standing("kept") == []
    text = config_file.export()
    assert not apply(text)
    policies_emptied()
    assert not Policy.objects.exists()
    assert apply(text)
    assert config_file.export() == text
    assert standing("words") == [(3, "louder", 5), (2, "once more", 50), (1, "configuration file", 100)]
    top = Policy.objects.get(name="words").current
    assert top is not None and top.terms == Terms(
        "shadow", Scope(("pay*",), ("ci",), ("claude-*", "gpt-*")), 5, -7, "open", 2.5, redacted=True
    )
    assert top.previous is not None and top.previous.previous is not None and top.previous.previous.mode == "shadow"
    kept = Policy.objects.get(name="kept").latest
    assert kept is not None and (kept.config["deny"], kept.note) == (["a${b}", "ü*"], "a draft\n")


def test_what_was_done_by_hand_goes_through_an_export_too() -> None:
    policy = services.create_policy("words", actor="ann")
    first = services.create_version(policy, "uppercase", {}, actor="ann", note="small")
    services.activate(first, actor="ann")
    second = services.create_version(policy, "uppercase_nth_word", {}, actor="ann")
    services.activate(second, Terms(percent=20), actor="ann")
    services.create_version(policy, "uppercase", {}, actor="ann", note="a draft that does the same as the first")
    text = config_file.export()
    assert not apply(text)
    policies_emptied()
    apply(text)
    assert config_file.export() == text
    assert [percent for _, _, percent in standing("words")] == [20, 100]


def test_a_draft_that_is_newer_than_what_is_in_force_does_not_come_into_force() -> None:
    apply("policies: [{name: words, policy: uppercase_nth_word, config: {n: 2}}]")
    services.create_version(Policy.objects.get(), "uppercase_nth_word", {"n": 9}, actor="ann")
    assert not apply(config_file.export())
    assert standing("words") == [(1, "configuration file", 100)]


def test_a_version_that_was_there_before_is_put_in_force_again() -> None:
    for n in (2, 3):
        apply(f"policies: [{{name: words, policy: uppercase_nth_word, config: {{n: {n}}}}}]")
    assert apply("policies: [{name: words, policy: uppercase_nth_word, config: {n: 2}}]").lines == (
        "policy words@1 activated",
    )


def words(n: int, percent: int, more: str = "") -> str:
    return f"{{policy: uppercase_nth_word, config: {{n: {n}}}, percent: {percent}{more}}}"


def named(step: str) -> str:
    return "policies: [" + step.replace("{", "{name: words, ", 1) + "]"


OVER_3 = f", previous: {words(3, 100)}"


@pytest.mark.parametrize(
    ("before", "after", "numbers", "activations"),
    [
        # What is silent leaves what was in force to the other sessions.
        (words(2, 100), words(3, 20), [(2, 20), (1, 100)], 1),
        (words(2, 50), words(3, 20), [(2, 20), (1, 50)], 1),
        (words(2, 50), words(3, 60), [(2, 60)], 1),
        (words(2, 100), words(3, 20, ", previous: null"), [(2, 20)], 1),
        (words(2, 100), words(3, 20, f", previous: {words(2, 100)}"), [(2, 20), (1, 100)], 1),
        (words(2, 100), words(3, 20, f", previous: {words(4, 50)}"), [(3, 20), (2, 50)], 2),
        (words(2, 100), words(3, 20, f", previous: {words(4, 100)}"), [(3, 20), (2, 100)], 2),
        (
            words(2, 20, f", previous: {words(3, 100)}"),
            words(2, 40, f", previous: {words(3, 100)}"),
            [(2, 40), (1, 100)],
            1,
        ),
        (words(2, 20, f", previous: {words(3, 100)}"), words(2, 20, ", previous: null"), [(2, 20)], 1),
        (words(2, 20, f", previous: {words(3, 100)}"), words(2, 20), [(2, 20), (1, 100)], 0),
        (words(2, 100), words(2, 100, ", enabled: false"), [], 0),
        (words(2, 100, ", enabled: false"), words(2, 100), [(1, 100)], 1),
    ],
)
def test_a_ladder_follows_the_file(before: str, after: str, numbers: list[tuple[int, int]], activations: int) -> None:
    apply(named(before))
    count = Activation.objects.count()
    apply(named(after))
    assert [(number, percent) for number, _, percent in standing("words")] == numbers
    assert Activation.objects.count() - count == activations
    assert not apply(named(after))
    assert not apply(config_file.export())


@pytest.mark.parametrize("field", sorted(PolicyEntry.model_fields))
def test_each_field_of_a_policys_entry_is_documented(field: str) -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "writing-policies.md").read_text(encoding="utf-8")
    section = text.partition("## Terms of an activation")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    assert any(f"`{field}`" in row for row in rows)


def test_a_mistake_in_the_last_entry_undoes_the_first() -> None:
    found = problems(LADDERS + "- {name: last, policy: uppercase_nth_word, config: {n: x}}\n")
    assert [line for line, _ in found] == [LADDERS.count("\n") + 1]
    assert not Policy.objects.exists() and not PolicyVersion.objects.exists() and revision() == 0
