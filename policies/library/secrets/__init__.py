"""Keys, tokens and passwords."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from policies.content import Message, Request, Text, ToolCall
from policies.examples import Example
from policies.matching.data_policy import DataPolicy
from policies.matching.places import Place
from policies.matching.redaction import Redactor

from .assigned import assigned
from .kinds import KINDS, Kind
from .tokens import TOKENS, unless_allowed


class Secrets(DataPolicy):
    """Keeps keys, tokens and passwords from leaving: cuts them out of what is sent and said, or blocks it.

    Known kinds of keys are found by their form, others by their randomness where something that is called a password,
    a token or the like is set. Well-known examples and placeholders are let pass.
    """

    noun = "secrets"
    examples = (
        Example(
            "A key in what a user pasted",
            Request("any", (Message("user", (Text("Deploy with AKIAQ3EGRMXW7TL2ZBND please"),)),)),
            "replace",
            "Deploy with [SECRET:AWS] please",
        ),
        Example("A placeholder", Text("export PASSWORD=<your-password-here>"), "allow"),
        Example(
            "A password in a tool's arguments",
            ToolCall("call_1", "login", '{"user": "ann", "password": "x8Kq-29fLmP0"}'),
            "replace",
            '{"user": "ann", "password": "[SECRET:ASSIGNED]"}',
        ),
    )

    class Config(DataPolicy.Config):
        action: Literal["block", "redact"] = Field(
            "redact", description="Cut secrets out, or block the request, the text or the tool call that holds one."
        )
        places: tuple[Place, ...] = Field(
            ("user", "system", "tool_results", "text", "tool_arguments"),
            description="Where to look. Thinking cannot be rewritten: with a secret in it, it is blocked.",
        )
        kinds: tuple[Kind, ...] = Field(KINDS, description="What to look for.")
        min_entropy: float = Field(
            3.0,
            ge=0,
            le=8,
            description="From how many bits of randomness a character on a value that is assigned to a password, a "
            "token or the like counts as a secret (kind assigned).",
        )
        allowed: tuple[Annotated[str, StringConstraints(min_length=8)], ...] = Field(
            (), description="Texts that are no secrets, one a line. What begins as one of them does is let pass."
        )

    config: Config

    def redactor(self) -> Redactor:
        allows = self._allows
        finders = [unless_allowed(finder, allows) for finder in TOKENS if finder.kind in self.config.kinds]
        if "assigned" in self.config.kinds:
            finders.append(unless_allowed(assigned(self.config.min_entropy), allows))
        return Redactor(finders, lambda kind: f"[SECRET:{kind.upper()}]")

    def _allows(self, found: str) -> bool:
        return any(found.startswith(text) or text.startswith(found) for text in self.config.allowed)
