"""The policy that does nothing."""

from policies.base import Policy


class Noop(Policy):
    """Lets everything through unchanged. Use it to try out activations, scopes and percentages without any effect."""
