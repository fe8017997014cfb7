import pytest

from policies import registry
from policies.base import Policy
from policies.examples import CATEGORIES, Example
from policies.testing import outcome

EXAMPLES = [
    pytest.param(policy, example, id=f"{name}: {example.title}")
    for name, policy in registry.catalogue().items()
    for example in policy.examples
]


@pytest.mark.parametrize(("policy", "example"), EXAMPLES)
async def test_an_example_is_true(policy: type[Policy], example: Example) -> None:
    assert await outcome(policy, example) == (example.does, example.becomes)


@pytest.mark.parametrize("name", registry.catalogue())
def test_each_policy_of_the_library_shows_an_example_under_a_heading(name: str) -> None:
    policy = registry.catalogue()[name]
    assert policy.examples
    assert policy.category in set(CATEGORIES) - {"other"}
