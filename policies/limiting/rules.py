"""Whom a rule of a policy is for."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from pydantic import BaseModel, ConfigDict, Field


class Rule(BaseModel):
    """Patterns, any of each list; an empty list matches nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    keys: tuple[str, ...] = Field(("*",), description="Patterns of keys, one a line. * stands for any characters.")
    teams: tuple[str, ...] = Field(("*",), description="Patterns of teams. A key without a team has an empty one.")
    models: tuple[str, ...] = Field(("*",), description="Patterns of models, by the names that clients use.")

    def is_for(self, model: str, key: str, team: str) -> bool:
        return _any(self.models, model) and _any(self.keys, key) and _any(self.teams, team)


def _any(patterns: Iterable[str], name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
