"""A configuration file with a mistake: nothing is changed, and the line of each is named."""

import pytest

from gateway.models import Provider
from policies.services import revision
from tests.gateway.test_config_file import WHOLE, problems

pytestmark = pytest.mark.django_db


def test_one_mistake_and_nothing_is_applied() -> None:
    assert problems(WHOLE.replace("policy: upper", "policy: uper")) == [
        (11, "policies[1].policy: no policy is registered as 'upercase_nth_word'; did you mean uppercase_nth_word?")
    ]
    assert not Provider.objects.exists()
    assert revision() == 0


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (
            "providers:\n  p: {dialect: openai, base_ur: x}",
            2,
            "providers.p.base_ur: unknown field; did you mean base_url?",
        ),
        ("provider: {}", 1, "provider: unknown field; did you mean providers?"),
        (
            "policies:\n- name: a\n  policy: noop\n  scope: {team: [x]}",
            4,
            "policies[1].scope.team: unknown field; did",
        ),
        ("keys:\n\n- {team: x}", 3, "keys[1].name: is missing"),
        ("keys:\n- {name: x}", 2, "keys[1].key: is missing, and no key of this name is stored"),
        ("keys:\n- name: x\n  key: short", 3, "keys[1].key: a key has at least 16 characters"),
        ("keys:\n- {name: x, key: long-enough-to-be-one}\n- {name: x}", 3, "keys[2]: x stands here a second time"),
        ("models:\n- {match: a,\n   provider: nobody}", 3, "models[1].provider: there is no nobody"),
        (
            "providers: {p: {dialect: demo}}\nmodels:\n- match: a\n  provider: p\n  fallback:\n  - provider: pp",
            6,
            "models[1].fallback[1].provider: there is no pp; did you mean p?",
        ),
        (
            "providers: {p: {dialect: demo}}\nmodels:\n- match: a\n  provider: p\n  fallback:\n  - provider: p",
            5,
            "models[1].fallback: p is asked already",
        ),
        ("models:\n- match: a\n  provider: p\n  fallback:\n  - {modl: q}", 5, "unknown field; did you mean model?"),
        ("providers:\n  p: {dialect: openai}", 2, "providers.p.base_url: This provider needs a base URL."),
        ("providers:\n  p: {dialect: smoke}", 2, "providers.p.dialect: input should be 'anthropic'"),
        ("providers:\n  p: {dialect: demo}\n  p: {dialect: demo}", 3, "p stands here a second time"),
        ("policies:", 1, "policies: input should be a valid list"),
        ("policies:\n- name: a\n  policy: noop\n  config:\n    x: 1", 5, "policies[1].config.x:"),
        ("policies:\n- name: A B\n  policy: noop", 2, "policies[1].name:"),
        ("policies:\n- {name: a, policy: noop, percent: 101}", 2, "policies[1].percent:"),
        ("keys:\n- {name: x, key: '${NO_SUCH}'}", 2, "the variable NO_SUCH is not set"),
        ("keys: [\n", 2, "not YAML"),
        ("? [a]\n: b", 1, "a name is expected here"),
        ("- a", 1, "input should be"),
        ("a: !!python/object:x {}", 1, "not YAML"),
        ("a: x\nb: !!int x", 2, "this is no int"),
        ("a: x\nb: 2026-13-01", 2, "this is no timestamp"),
        ("a: x\n2026-13-01: b", 2, "this is no timestamp"),
        ("a: x\nb: !!bool maybe", 2, "this is no bool"),
        ('keys:\n- {name: x,\n   team: "a\\0b"}', 3, "cannot be stored"),
        ('providers:\n  "a\\ud800b": {}', 2, "cannot be stored"),
        ("a: " + "[" * 5000, 1, "nested too deeply"),
        ("a:\n- &x [*x]", 1, "a: unknown field"),
        ("policies:\n- &x\n  name: a\n  policy: noop\n  previous: *x", 5, "cyclic reference"),
        ("policies:\n- name: a\n  policy: nop", 3, "did you mean noop?"),
        ("policies:\n- name: a\n  policy: noop\n- name: a\n  policy: noop", 4, "policies[2]: a stands here a second"),
        ("policies:\n- name: a\n  policy: noop\n  order: 99999999999", 4, "policies[1].order:"),
        ("policies:\n- name: a\n  policy: noop\n  deadline: .inf", 4, "policies[1].deadline:"),
        ("policies:\n- name: a\n  policy: noop\n  mode:\n    on", 4, "policies[1].mode: input should be 'enforce'"),
        (
            "policies:\n- name: a\n  policy: string_replacement\n  config:\n    rules:\n    - {find: a, replace: b}\n"
            "    - find: '('\n      replace: x\n      regex: true",
            7,
            "policies[1].config.rules[2]",
        ),
        (
            "policies:\n- {name: a, policy: noop, percent: 20,\n   previous: {policy: noop, percnt: 3}}",
            3,
            "policies[1].previous.percnt: unknown field; did you mean percent?",
        ),
        (
            "policies:\n- name: a\n  policy: noop\n  percent: 20\n  previous:\n    policy: noop\n    percent: 20",
            7,
            "policies[1].previous.percent: has to be more",
        ),
        (
            "policies:\n- name: a\n  policy: noop\n  previous: {policy: noop}",
            4,
            "policies[1].previous.percent: has to be more",
        ),
        (
            "policies:\n- name: a\n  policy: noop\n  percent: 20\n  previous:\n    policy: uppercase_nth_word\n"
            "    config:\n      n: 0",
            8,
            "policies[1].previous.config.n:",
        ),
        (
            "policies:\n- name: a\n  policy: noop\n  percent: 20\n  previous:\n    policy: noop\n    name: b",
            7,
            "policies[1].previous.name: unknown field",
        ),
    ],
)
def test_mistakes_are_named_with_their_line(text: str, line: int, words: str) -> None:
    found = problems(text)
    assert [problem for problem in found if problem[0] == line and words in problem[1]], found


def test_every_mistake_of_shape_is_named_at_once() -> None:
    assert len(problems("keys:\n- {team: x}\nmodels:\n- {match: a}\nnothing: 1")) == 3


def test_errors_do_not_quote_secrets() -> None:
    found = problems("providers:\n  p: {dialect: openai, base_url: 'https://x', api_key: 'sk secret'}")
    assert "secret" not in str(found)
    assert "sk-ant" not in str(problems("keys: [{name: x, key: a}]\nproviders: {p: {api_key: [sk-ant]}}"))
