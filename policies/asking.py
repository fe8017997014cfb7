"""Asking a judge: a model that a policy wants an opinion from. Pure.

What is judged is hostile: it may hold instructions for the judge. The gateway fences it off, and only an answer of the
form that was asked for counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class JudgeFailed(Exception):
    """There is no opinion: no such model, no answer in time, or none of the form. Not caught, the policy has failed."""


@dataclass(frozen=True, slots=True)
class Question:
    """`model` is a name that the gateway routes; `instruction` is the policy's, `subject` is what it is about.

    The answer is one object by the JSON schema `schema`, of at most `max_tokens` tokens, within `deadline` seconds.
    """

    model: str
    instruction: str
    subject: str
    schema: Mapping[str, Any]
    deadline: float
    max_tokens: int
