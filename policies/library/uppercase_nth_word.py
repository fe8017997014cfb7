"""Every nth word of an answer in capitals."""

from __future__ import annotations

import re

from pydantic import Field

from policies.base import Call, Policy
from policies.content import Text
from policies.examples import Example

_WORDS_AND_GAPS = re.compile(r"\s+|\S+")


class UppercaseNthWord(Policy):
    """Turns every nth word of an answer into capital letters, counting anew in each block of text."""

    category = "plain"
    examples = (Example("Every second word", Text("one two three four"), "replace", "one TWO three FOUR"),)

    class Config(Policy.Config):
        n: int = Field(2, ge=1, description="Which words: 1 for all of them, 2 for every second, and so on.")

    config: Config

    def on_text_delta(self, text: str, call: Call, final: bool) -> tuple[str, int]:
        # A word that a delta cuts off goes on in the next, so its number and that it is open have to be remembered.
        number, inside = call.state.get("word", (0, False))
        pieces = []
        for piece in _WORDS_AND_GAPS.findall(text):
            gap = piece.isspace()
            number += not gap and not inside
            inside = not gap
            pieces.append(piece.upper() if inside and number % self.config.n == 0 else piece)
        call.state["word"] = (0, False) if final else (number, inside)
        return "".join(pieces), 0
