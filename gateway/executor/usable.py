"""What counts as an answer of a hook. Policies are other people's code: nothing they return is taken on trust."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, Literal

from policies.content import (
    Image,
    Message,
    Opaque,
    Request,
    Response,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
    Usage,
)
from policies.events import Aside, BlockDelta, BlockEnd, BlockStart, End, Failure, Start
from policies.verdicts import Verdict

Deciding = Literal["on_request", "on_text", "on_thinking", "on_tool_call", "on_answer"]
"""The hooks that return a verdict."""

ACTIONS: dict[Deciding, frozenset[str]] = {
    "on_request": frozenset({"allow", "replace", "block", "stop", "respond", "refuse", "reroute"}),
    "on_text": frozenset({"allow", "replace", "block", "stop"}),
    "on_thinking": frozenset({"allow", "block", "stop"}),
    "on_tool_call": frozenset({"allow", "replace", "block", "stop"}),
    "on_answer": frozenset({"allow", "replace", "block", "stop", "retry"}),
}
REPLACEMENTS: dict[Deciding, tuple[type, ...]] = {
    "on_text": (Text,),
    "on_tool_call": (Text, ToolCall),
    "on_answer": (Text, Thinking, ToolCall, Opaque),
}
FIELDS: dict[type, dict[str, type]] = {
    Verdict: {"reason": str, "text": str, "model": str, "status": int, "code": str},
    Request: {"model": str, "messages": tuple, "system": tuple, "tools": tuple},
    Text: {"text": str},
    Thinking: {"text": str, "signature": str},
    ToolCall: {"id": str, "name": str, "arguments_text": str, "executed": bool, "custom": bool},
    Opaque: {"type": str},
    Image: {"media_type": str, "data": str, "url": str},
    ToolResult: {"tool_call_id": str, "blocks": tuple, "is_error": bool},
    Message: {"role": str, "blocks": tuple},
    Tool: {"name": str, "description": str, "schema": Mapping, "executed": bool, "custom": bool},
    Start: {"id": str, "model": str, "usage": Usage, "choice": int},
    BlockStart: {"kind": str, "id": str, "name": str, "executed": bool, "custom": bool, "type": str},
    BlockDelta: {"text": str, "signature": str},
    BlockEnd: {},
    End: {"stop_reason": str, "usage": Usage},
    Failure: {"type": str, "message": str},
    Aside: {},
}
EVENTS = frozenset({Start, BlockStart, BlockDelta, BlockEnd, End, Failure, Aside})
_REQUEST_BLOCKS = frozenset({Text, Thinking, ToolCall, Opaque, Image, ToolResult})
_KINDS = frozenset({"text", "thinking", "tool_call", "opaque"})


def unusable(hook: Deciding, verdict: object, subject: object) -> str:
    """Why `verdict` cannot be the answer of `hook` about `subject`; empty if it can."""
    if type(verdict) is not Verdict:
        return "returned something that is not a verdict"
    if verdict.action not in ACTIONS[hook]:
        return f"returned {verdict.action}, which {hook} cannot do"
    if not _well_formed(verdict):
        return "gave a reason or a detail that is not text"
    if verdict.score is not None and not _is_number(verdict.score, up_to=1):
        return "gave a score that is not between 0 and 1"
    if not _is_json(verdict.evidence):
        return "gave evidence that is not JSON"
    return _unusable_detail(hook, verdict, subject)


def is_event(made: object) -> bool:
    """Whether `made` is an event with the right types in it."""
    if type(made) not in EVENTS or not _well_formed(made):
        return False
    return not isinstance(made, BlockStart) or made.kind in _KINDS


def _unusable_detail(hook: Deciding, verdict: Verdict, subject: object) -> str:
    match verdict.action:
        case "replace" if hook == "on_request":
            return "" if _is_request(verdict.content) else "replaced a request by something else"
        case "replace":
            return _unusable_blocks(hook, verdict.content, subject)
        case "respond" if not verdict.text:
            return "answered without a text"
        case "reroute" | "retry" if not verdict.model:
            return f"returned {verdict.action} without a model"
        case "refuse" if not 400 <= verdict.status <= 599:
            return "refused with something that is not an error status"
        case "refuse" if verdict.retry_after is not None and not _is_number(verdict.retry_after):
            return "refused with a retry_after that is not in seconds"
    return ""


def _unusable_blocks(hook: Deciding, content: object, subject: object) -> str:
    if not isinstance(content, tuple):
        return "replaced a block by something else"
    if not all(type(made) in REPLACEMENTS[hook] and _well_formed(made) for made in content):
        return "replaced a block by one that may not stand there"
    tool_calls = [made for made in content if isinstance(made, ToolCall)]
    if len({made.id for made in tool_calls}) < len(tool_calls) or not all(made.id for made in tool_calls):
        return "put tool calls into the answer that cannot be told apart"
    if isinstance(subject, Response) and _invented(content, subject):
        return "put something into the answer that the model did not make"
    if isinstance(subject, ToolCall) and any(made.executed != subject.executed for made in tool_calls):
        return "changed who runs a tool call"
    return ""


def _invented(content: tuple[Any, ...], response: Response) -> bool:
    """Texts may be new and a tool call may change, but nothing else comes into being."""
    known = {(tool_call.id, tool_call.executed) for tool_call in response.tool_calls}
    return any(
        (made.id, made.executed) not in known
        if isinstance(made, ToolCall)
        else not isinstance(made, Text) and made not in response.blocks
        for made in content
    )


def _is_request(content: object) -> bool:
    return (
        type(content) is Request
        and _well_formed(content)
        and content.model != ""
        and _all(content.system, _REQUEST_BLOCKS)
        and _all(content.messages, frozenset({Message}))
        and all(_all(message.blocks, _REQUEST_BLOCKS) for message in content.messages)
        and _all(content.tools, frozenset({Tool}))
    )


def _all(things: object, kinds: frozenset[type]) -> bool:
    return isinstance(things, tuple) and all(type(thing) in kinds and _well_formed(thing) for thing in things)


def _well_formed(thing: object) -> bool:
    return all(isinstance(getattr(thing, name), kind) for name, kind in FIELDS[type(thing)].items())


def _is_number(value: object, up_to: float = math.inf) -> bool:
    return isinstance(value, int | float) and math.isfinite(value) and 0 <= value <= up_to


def _is_json(evidence: object) -> bool:
    if evidence is None:
        return True
    if not isinstance(evidence, Mapping):
        return False
    try:
        json.dumps(dict(evidence), allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return False
    return True
