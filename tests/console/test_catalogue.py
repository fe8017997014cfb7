from typing import get_args

import pytest

from gateway.console.policies.catalogue import CATEGORY_TITLES, DOES, entry, grouped
from policies import registry
from policies.base import Call, Policy
from policies.content import Request, Text, ToolCall
from policies.examples import CATEGORIES, Example
from policies.testing import request
from policies.verdicts import Action, Verdict, allow


class Greeter(Policy):
    """Greets whoever
    comes.

    It means well, and is *never* rude.
    """

    category = "other"
    examples = (
        Example("A text", Text("Hi"), "replace", "Hello", {"formal": True}),
        Example("A tool", ToolCall("1", "greet", '{"who": "you"}'), "block"),
        Example("A request", request("Hi there", tools=["greet"]), "allow"),
        Example("Hardly one", Request("some-model"), "reroute"),
    )

    async def on_request(self, request: Request, call: Call) -> Verdict:
        return allow()

    async def on_text(self, text: Text, call: Call) -> Verdict:
        return allow()

    async def on_end(self, call: Call, outcome: str) -> None:
        pass


def test_an_entry_says_what_a_policy_is_and_what_it_sees() -> None:
    found = entry("greeter", Greeter)
    assert (found.summary, found.details) == ("Greets whoever comes.", ("It means well, and is *never* rude.",))
    assert (found.category, found.judges) == ("other", ("requests", "text"))


def test_an_example_is_what_is_seen_and_what_becomes_of_it() -> None:
    samples = entry("greeter", Greeter).samples
    assert [(sample.kind, sample.sees, sample.does) for sample in samples] == [
        ("text", "Hi", "becomes"),
        ("tool call", 'greet {"who": "you"}', "is blocked"),
        ("request", "Hi there\ntool: greet", "passes"),
        ("request", "model: some-model", "goes to another model"),
    ]
    assert (samples[0].becomes, samples[0].configured, samples[1].configured) == ("Hello", True, False)


def test_the_catalogue_is_grouped_by_category_and_searched_by_all_words() -> None:
    policies: dict[str, type[Policy]] = {"greeter": Greeter, "noop": registry.catalogue()["noop"]}
    assert {title: [each.name for each in group] for title, group in grouped(policies).items()} == {
        "Plain": ["noop"],
        "Other": ["greeter"],
    }
    assert list(grouped(policies, "RUDE greets")) == ["Other"]
    assert grouped(policies, "rude nothing") == {}
    assert list(grouped(policies, category="plain")) == ["Plain"]


def test_every_category_and_action_has_its_words() -> None:
    assert tuple(CATEGORY_TITLES) == CATEGORIES
    assert set(DOES) == set(get_args(Action))


@pytest.mark.parametrize("name", sorted(registry.catalogue()))
def test_every_policy_has_a_text_and_an_example(name: str) -> None:
    found = entry(name, registry.catalogue()[name])
    assert found.summary and found.samples
