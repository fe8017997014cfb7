"""What judges have answered: the newest answers of this process, so that the same question is not paid for twice."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from typing import Any

from gateway.directory import Target
from policies.asking import Question
from policies.base import Call

MOST = 4096
LONGEST = 16 * 1024
"""Characters of an answer that is kept; a longer one is asked for again."""


class JudgeMemory:
    """At most `most` answers; those that were not wanted for the longest time go first."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._answers: OrderedDict[bytes, str] = OrderedDict()

    def __len__(self) -> int:
        return len(self._answers)

    def get(self, key: bytes) -> dict[str, Any] | None:
        """The answer, made anew each time, so that nobody can change what the next one gets."""
        known = self._answers.get(key)
        if known is None:
            return None
        self._answers.move_to_end(key)
        answer: dict[str, Any] = json.loads(known)
        return answer

    def keep(self, key: bytes, answer: dict[str, Any]) -> None:
        text = json.dumps(answer)
        if len(text) > LONGEST:
            return
        self._answers[key] = text
        self._answers.move_to_end(key)
        if len(self._answers) > self._most:
            self._answers.popitem(last=False)


def key(call: Call, question: Question, target: Target) -> bytes:
    """The digest of all that an answer hangs on: the policy version, who is asked, and every word of the question."""
    asked = (call.policy, call.version, target.provider, target.model)
    words = (question.instruction, question.subject, question.schema, question.max_tokens)
    return hashlib.sha256(json.dumps([*asked, *words]).encode()).digest()
