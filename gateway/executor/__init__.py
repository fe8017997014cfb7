"""Stage one of an answer: the policies. The only code that calls a policy's hooks."""

from .executor import Answered, PolicyExecutor
from .stage import RetryAsked

__all__ = ["Answered", "PolicyExecutor", "RetryAsked"]
