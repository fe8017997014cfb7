"""Personal data."""

from __future__ import annotations

import dataclasses
from fnmatch import fnmatchcase
from typing import Literal

from pydantic import Field

from policies.content import Message, Request, Text
from policies.examples import Example
from policies.matching.data_policy import DataPolicy
from policies.matching.finders import Finder
from policies.matching.places import Place
from policies.matching.redaction import Redactor

from .finders import FINDERS
from .kinds import DEFAULT, Kind


class Pii(DataPolicy):
    """Keeps personal data from leaving: cuts it out of what is sent and said, or blocks it.

    It knows e-mail addresses, phone numbers, cards, bank accounts, national ids of five countries and, if you wish, IP
    addresses. Numbers count only where their check digits are right. It finds no names and no addresses of houses.
    """

    noun = "personal data"
    examples = (
        Example(
            "An address and a card in what a user writes",
            Request("any", (Message("user", (Text("I am ann@acme.dev, card 4111 1111 1111 1111."),)),)),
            "replace",
            "I am [EMAIL], card [CARD].",
        ),
        Example("A number whose check digit is wrong", Text("Order 4111 1111 1111 1112"), "allow"),
        Example(
            "A bank account in an answer",
            Text("Pay to DE89 3704 0044 0532 0130 00 now"),
            "replace",
            "Pay to [IBAN] now",
        ),
    )

    class Config(DataPolicy.Config):
        action: Literal["block", "redact"] = Field(
            "redact",
            description="Cut it out, or block the request, the text or the tool call that holds it.",
        )
        places: tuple[Place, ...] = Field(
            ("user", "system", "tool_results", "text"),
            description="Where to look. Thinking cannot be rewritten: with personal data in it, it is blocked.",
        )
        kinds: tuple[Kind, ...] = Field(DEFAULT, description="What to look for.")
        allowed: tuple[str, ...] = Field(
            ("git@*", "*@example.com", "*@example.org", "*@example.net", "noreply@*", "no-reply@*"),
            description="Patterns of what may pass, one a line. * stands for any characters; capitals do not matter.",
        )

    config: Config

    def redactor(self) -> Redactor:
        finders = [self._unless_allowed(finder) for kind in self.config.kinds for finder in FINDERS[kind]]
        return Redactor(finders, lambda kind: f"[{kind.upper()}]")

    def _unless_allowed(self, finder: Finder) -> Finder:
        check, allowed = finder.check, [pattern.lower() for pattern in self.config.allowed]
        assert check is not None

        def checked(data: bytes, start: int, end: int) -> tuple[int, int] | None:
            span = check(data, start, end)
            if span is None:
                return None
            found = data[span[0] : span[1]].decode().lower()
            return None if any(fnmatchcase(found, pattern) for pattern in allowed) else span

        return dataclasses.replace(finder, check=checked)
