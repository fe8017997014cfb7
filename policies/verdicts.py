"""What a policy may decide, and what is put on record of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from .content import Block, Request

Action = Literal["allow", "replace", "block", "stop", "respond", "refuse", "reroute", "retry"]
Mode = Literal["shadow", "enforce"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """A policy's decision on one thing. Make it with the functions below.

    `score` (0 to 1) and `evidence` (JSON-able) go on record beside the reason.
    """

    action: Action
    reason: str = ""
    content: Request | tuple[Block, ...] | None = None
    text: str = ""
    model: str = ""
    status: int = 0
    retry_after: float | None = None
    code: str = ""
    score: float | None = None
    evidence: Mapping[str, Any] | None = None


def allow(reason: str = "", *, score: float | None = None, evidence: Mapping[str, Any] | None = None) -> Verdict:
    """Let it pass as it is."""
    return Verdict("allow", reason, score=score, evidence=evidence)


def replace(
    content: Request | Block | tuple[Block, ...],
    reason: str = "",
    *,
    score: float | None = None,
    evidence: Mapping[str, Any] | None = None,
) -> Verdict:
    """Put `content` in its place: a Request for a request, one or many blocks for a block.

    A tool call may become text; text never becomes a tool call, and thinking is never replaced.
    """
    whole = content if isinstance(content, Request | tuple) else (content,)
    return Verdict("replace", reason, content=whole, score=score, evidence=evidence)


def block(reason: str, *, score: float | None = None, evidence: Mapping[str, Any] | None = None) -> Verdict:
    """Keep it from passing; a notice takes its place. `reason` is shown to the client: never quote what you block."""
    return Verdict("block", reason, score=score, evidence=evidence)


def stop(reason: str, *, score: float | None = None, evidence: Mapping[str, Any] | None = None) -> Verdict:
    """End the answer here: notice, normal end, upstream cancelled."""
    return Verdict("stop", reason, score=score, evidence=evidence)


def respond(text: str, reason: str = "") -> Verdict:
    """Answer a request with `text`, as a completed turn, without asking the model."""
    return Verdict("respond", reason, text=text)


def refuse(status: int, reason: str, retry_after: float | None = None, *, code: str = "") -> Verdict:
    """Refuse a request with an HTTP status (limits, capacity). `retry_after` is in seconds; None: do not retry.

    `code` is for programs, such as `context_length_exceeded`; without one the dialect's own for the status is told.
    """
    return Verdict("refuse", reason, status=status, retry_after=retry_after, code=code)


def reroute(model: str, reason: str = "") -> Verdict:
    """Send the request to another model that the key may use."""
    return Verdict("reroute", reason, model=model)


def retry(model: str, reason: str = "") -> Verdict:
    """Ask again, another model, as long as nothing of this answer is released."""
    return Verdict("retry", reason, model=model)


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict as it goes on record.

    `hook` is the method that decided; `block` says on what: "request", "answer", or a block's kind with its place or
    its tool call id. `action` is a verdict's, or `failed_open` / `failed_closed` where the policy itself failed,
    `not_reached` where an earlier policy had blocked, `dropped` where thinking had to go with the block before it.
    A judge that a policy asked is a decision of the hook `ask` on that model: `asked` or `ask_failed`.
    `at` and `ms` are milliseconds: since the call began, and spent in the hook.
    """

    policy: str
    version: int
    mode: Mode
    hook: str
    block: str
    action: str
    reason: str = ""
    at: float = 0.0
    ms: float = 0.0
    score: float | None = None
    evidence: Mapping[str, Any] | None = None
