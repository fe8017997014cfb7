"""Asking a judge: a model that a policy wants an opinion from. Pure.

What is judged is hostile: it may hold instructions for the judge. The gateway fences it off, and only an answer of the
form that was asked for counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError


class JudgeFailed(Exception):
    """There is no opinion: no such model, no answer in time, or none of the form. Not caught, the policy has failed."""


@dataclass(frozen=True, slots=True)
class Question:
    """`model` is a name that the gateway routes; `instruction` is the policy's, `subject` is what it is about.

    The answer is one object of the class `answer`, of at most `max_tokens` tokens, within `deadline` seconds. With
    `cache` the same question of the same policy version may get the answer that it got before.
    """

    model: str
    instruction: str
    subject: str
    answer: type[BaseModel]
    deadline: float
    max_tokens: int
    cache: bool = False

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of the answer."""
        return self.answer.model_json_schema()

    def read(self, answer: Mapping[str, Any]) -> BaseModel:
        """The judge's `answer` as an object of the class that was asked for. Raises JudgeFailed."""
        try:
            return self.answer.model_validate(answer)
        except ValidationError:
            raise JudgeFailed(f"the judge {self.model} gave an answer of another form") from None
