"""Who answers the questions that policies ask in a replay."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from gateway import directory, judge
from policies.asking import JudgeFailed, Question
from policies.base import Call
from policies.verdicts import Decision

Json = dict[str, Any]
Decide = Callable[[Decision], None]


@dataclass(slots=True)
class Judges:
    """What was answered once is answered so again; else the gateway's own models are asked, if they `may_be_asked`.

    `answers` are by a digest of the question. `unasked` counts the questions that nobody answered for that reason.
    """

    may_be_asked: bool = False
    answers: dict[str, Json] = field(default_factory=dict)
    unasked: int = 0

    async def ask(self, began: float, decide: Decide, call: Call, question: Question) -> Json:
        """Raises JudgeFailed."""
        name = digest(question)
        if name in self.answers:
            return self.answers[name]
        if not self.may_be_asked:
            self.unasked += 1
            raise JudgeFailed("judges are not asked in this replay")
        answer = await judge.ask(await directory.current(), began, decide, call, question)
        self.answers[name] = answer
        return answer


def digest(question: Question) -> str:
    """SHA-256, in hex, over what is asked of whom."""
    asked = [question.model, question.instruction, question.subject, question.schema]
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
