"""What a decision service may answer, and the verdict that it is."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from policies import distinct_json
from policies.content import Request, Role, Text, ToolCall
from policies.verdicts import Verdict, allow, block, refuse, replace, respond, stop


class NotADecision(ValueError):
    """The service answered something that is no decision about what it was asked."""


class Edit(BaseModel):
    """Another text in the place of the one with this number."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    edit: int = Field(ge=0)
    text: str


class Answer(BaseModel):
    """A decision. `replace` needs `text` for a text, `text` or `arguments` for a tool call, `edits` for a request.

    `respond` (needs `text`) and `refuse` are for requests.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    action: Literal["allow", "replace", "block", "stop", "respond", "refuse"]
    reason: str = Field("", max_length=2000, description="Shown to the client: never quote what is blocked.")
    text: str | None = None
    arguments: dict[str, Any] | None = None
    edits: list[Edit] = Field(default_factory=list)
    status: int = Field(403, ge=400, le=599, description="Of `refuse`.")
    retry_after: float | None = Field(None, ge=0, description="Of `refuse`: seconds; without it nobody tries again.")
    score: float | None = Field(None, ge=0, le=1, description="For the record.")


def verdict(body: bytes, subject: Request | Text | ToolCall) -> Verdict:
    """The verdict on `subject` that `body` is. Raises NotADecision."""
    answer = _read(body)
    match answer.action:
        case "allow":
            return allow(answer.reason, score=answer.score)
        case "block":
            return block(answer.reason or "the service says no", score=answer.score)
        case "stop":
            return stop(answer.reason or "the service says stop", score=answer.score)
        case "replace":
            return replace(_replacement(answer, subject), answer.reason, score=answer.score)
    if not isinstance(subject, Request):
        raise NotADecision(f"{answer.action} is for requests")
    if answer.action == "refuse":
        return refuse(answer.status, answer.reason, answer.retry_after)
    return respond(_needed(answer.text), answer.reason)


def _read(body: bytes) -> Answer:
    try:
        # A key twice, and nobody knows which one was meant.
        parsed = distinct_json.loads(body.decode())
        return Answer.model_validate(parsed)
    except (ValueError, RecursionError):
        raise NotADecision("the answer is not of the published form") from None


def _replacement(answer: Answer, subject: Request | Text | ToolCall) -> Request | Text | ToolCall:
    match subject:
        case Request():
            return _edited(subject, {edit.edit: edit.text for edit in answer.edits})
        case ToolCall() if answer.arguments is not None:
            if subject.custom and not isinstance(answer.arguments.get("input"), str):
                raise NotADecision("a custom tool takes its `input`, a text")
            return subject.with_arguments(answer.arguments)
    return Text(_needed(answer.text))


def _edited(request: Request, edits: Mapping[int, str]) -> Request:
    numbers = count()
    edited = request.map_text(lambda text: edits.get(next(numbers), text), get_args(Role))
    if not edits or max(edits) >= next(numbers):
        raise NotADecision("there is no such text to edit")
    return edited


def _needed(text: str | None) -> str:
    if not text:
        raise NotADecision("a text is missing")
    return text
