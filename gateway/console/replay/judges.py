"""Who answers the questions that policies ask of models and services in a replay."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from gateway import directory, fetching, judge
from policies.asking import JudgeFailed, Question
from policies.base import Call
from policies.fetching import Fetch, FetchFailed
from policies.verdicts import Decision

Json = dict[str, Any]
Decide = Callable[[Decision], None]


@dataclass(slots=True)
class Judges:
    """What was answered once is answered so again; else judges and remote services are, if they `may_be_asked`.

    `answers` are by a digest of the question. `unasked` counts the questions that nobody answered for that reason.
    """

    may_be_asked: bool = False
    answers: dict[str, Json] = field(default_factory=dict)
    unasked: int = 0

    async def ask(self, began: float, decide: Decide, call: Call, question: Question) -> Json:
        """Raises JudgeFailed."""
        name = _digest(question.model, question.instruction, question.subject, question.schema)
        if name in self.answers:
            return self.answers[name]
        if not self._may_ask():
            raise JudgeFailed("judges are not asked in this replay")
        answer = await judge.ask(await directory.current(), began, decide, call, question)
        self.answers[name] = answer
        return answer

    async def fetch(self, call: Call, asked: Fetch) -> bytes:
        """Raises FetchFailed."""
        name = _digest(asked.url, asked.body.hex())
        if name in self.answers:
            return bytes.fromhex(self.answers[name]["hex"])
        if not self._may_ask():
            raise FetchFailed("services are not asked in this replay")
        body = await fetching.fetch(call, asked)
        self.answers[name] = {"hex": body.hex()}
        return body

    def _may_ask(self) -> bool:
        self.unasked += not self.may_be_asked
        return self.may_be_asked


def _digest(*asked: Any) -> str:
    """SHA-256, in hex, over what is asked of whom."""
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
