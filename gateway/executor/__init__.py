"""Stage one of an answer: the policies. The only code that calls a policy's hooks.

    events -> link, link, ... -> gate -> events

Each policy is up to three links: Watch (`on_event`), Stage (blocks and live text), WholeAnswer (`on_answer`); a shadow
policy is one link that lets everything pass. A Judge asks the policy. Links hand one another items: events, and marks
(Notice, Changed) that the Gate turns into what the client sees.
"""

from .chain import Chain
from .executor import Answered, PolicyExecutor, Spent
from .whole_answer import RetryAsked

__all__ = ["Answered", "Chain", "PolicyExecutor", "RetryAsked", "Spent"]
