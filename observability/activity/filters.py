"""Which events a viewer wants to see. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from .events import KINDS, Event

LONGEST = 200


@dataclass(frozen=True, slots=True)
class Filter:
    """Empty fields match all. `kind` and `verdict` are compared whole, each one or several with commas between them;
    the others match anywhere in what they name, in any case. `text` looks at the summary, the tool and all names."""

    call: str = ""
    session: str = ""
    team: str = ""
    key: str = ""
    model: str = ""
    policy: str = ""
    verdict: str = ""
    kind: str = ""
    text: str = ""

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Filter:
        """Of what a page or a program sent: what is not known, or is not text, is left out."""
        known = {field.name: given.get(field.name) for field in fields(cls)}
        return cls(**{name: value[:LONGEST].strip() for name, value in known.items() if isinstance(value, str)})

    @property
    def is_empty(self) -> bool:
        return self == _ALL

    def matches(self, event: Event) -> bool:
        for name in _WHOLE:
            wanted = getattr(self, name)
            if wanted and str(event.get(name, "")) not in [each.strip() for each in wanted.split(",")]:
                return False
        for name in _ANYWHERE:
            wanted = getattr(self, name)
            if wanted and wanted.casefold() not in str(event.get(name, "")).casefold():
                return False
        return not self.text or self.text.casefold() in _words(event).casefold()


_WHOLE = ("kind", "verdict")
_ANYWHERE = ("call", "session", "team", "key", "model", "policy")
_ALL = Filter()


def _words(event: Event) -> str:
    told = (str(event.get(name, "")) for name in ("summary", "tool", "provider", *_ANYWHERE))
    return "\n".join((KINDS.get(event["kind"], ""), *told))
