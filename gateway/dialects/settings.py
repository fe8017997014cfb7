"""What a request asks for beside its content, in no dialect: read only where a call is translated. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
EFFORTS: tuple[Effort, ...] = ("none", "minimal", "low", "medium", "high", "xhigh", "max")


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """`tool` is the one that must be called, where the mode is `tool`."""

    mode: Literal["auto", "none", "required", "tool"]
    tool: str = ""


@dataclass(frozen=True, slots=True)
class Shape:
    """The form that the answer must have: JSON by a schema, or any JSON object where that is None."""

    schema: Mapping[str, Any] | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """None and empty mean that the client did not say.

    `effort` is how much to think, `budget` the same in tokens; `effort` "none" means not at all. `grammars` are the
    forms of custom tools' inputs, by the tool's name. `allowed` are the only tools that may be called; empty: all.
    `dropped` names what the client asked for and no other dialect can say, and what may be left out.
    """

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: tuple[str, ...] = ()
    tool_choice: ToolChoice | None = None
    allowed: tuple[str, ...] = ()
    parallel_tool_calls: bool | None = None
    effort: Effort | None = None
    budget: int | None = None
    shape: Shape | None = None
    user: str = ""
    service_tier: str = ""
    grammars: Mapping[str, str] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Model:
    """A provider's model, and what is known of it; None where nobody knows."""

    name: str
    most_output: int | None = None
    """Tokens that one answer may have."""
    reasons: bool | None = None
    """Whether it thinks before it answers, and takes an effort."""
    adaptive: bool | None = None
    """Whether it takes only an effort for its thinking, no budget of tokens, and lets nobody choose its sampling."""


@dataclass(frozen=True, slots=True)
class Made:
    """A request's body, and what of it is not said there, in words for the record."""

    body: bytes
    dropped: tuple[str, ...] = ()
