"""What a policy declares about itself for the catalogue: its category, and examples that the tests run. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from .content import Request, Text, ToolCall
from .verdicts import Action

Category = Literal["plain", "tools", "data", "limits", "judges", "other"]
CATEGORIES: tuple[Category, ...] = get_args(Category)
"""In the order of the catalogue."""


@dataclass(frozen=True, slots=True)
class Example:
    """With `config` (defaults elsewhere), the policy sees `sees` and does `does`.

    `becomes` is the text that passes instead where it is replaced: the last message's of a request, the block's own, or
    a tool call's arguments. `judge_says` is the answer of the judge or the service
    that it asks.
    """

    title: str
    sees: Request | Text | ToolCall
    does: Action
    becomes: str | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    judge_says: Mapping[str, Any] | None = None
