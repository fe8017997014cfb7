"""The policy that does nothing."""

from policies.base import Policy
from policies.content import Text
from policies.examples import Example


class Noop(Policy):
    """Lets everything through unchanged. Use it to try out activations, scopes and percentages without any effect."""

    category = "plain"
    examples = (Example("An answer passes", Text("Hello."), "allow"),)
