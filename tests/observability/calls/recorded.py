"""Decisions and blocks as a record has them, for tests of what pages make of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(eq=False)
class Verdict:
    """As a row of the record; `at_ms` and `took_ms` are milliseconds."""

    block: str
    action: str = "allow"
    hook: str = "on_tool_call"
    policy: str = "guard"
    version: int = 1
    mode: str = "enforce"
    position: int = 0
    at_ms: float = 0.0
    took_ms: float = 0.0
    late: bool = False


@dataclass(eq=False)
class Released:
    """A released block's row."""

    position: int
    kind: str = "text"
    tool_name: str = ""
    released_at_ms: float = 0.0


def text(words: str, **more: Any) -> dict[str, Any]:
    return {**more, "kind": "text", "text": words}


def tool_call(id: str, **more: Any) -> dict[str, Any]:
    return {**more, "kind": "tool_call", "name": "Bash", "arguments": {"command": "ls"}, "id": id}
