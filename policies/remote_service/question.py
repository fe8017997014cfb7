"""What a decision service is asked."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from policies.base import Call
from policies.content import Image, Message, Request, RequestBlock, Text, Thinking, ToolCall, ToolResult
from policies.verdicts import Mode


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CallFacts(Part):
    """The call, by the names on its record."""

    id: str
    key: str
    team: str
    session: str
    model: str = Field(description="The model that the client named.")
    dialect: str


class PolicyFacts(Part):
    """Who asks."""

    name: str
    version: int
    mode: Mode


class Called(Part):
    """A tool call of the model."""

    id: str
    name: str
    arguments: str = Field(description="As the model wrote them: JSON, or free text for a custom tool.")
    custom: bool
    executed: bool = Field(description="Whether the provider ran it already.")


class Piece(Part):
    """A block of a request. Of images and of what Luthien does not know only the kind is told."""

    kind: Literal["text", "thinking", "tool_call", "tool_result", "image", "opaque"]
    edit: int | None = Field(None, description="The number by which an edit may replace this text.")
    text: str | None = None
    tool_call: Called | None = None
    tool_call_id: str | None = Field(None, description="Of a tool result: what it answers.")
    blocks: tuple[Piece, ...] | None = Field(None, description="Of a tool result: what it holds.")


class Said(Part):
    """A message."""

    role: Literal["system", "user", "assistant", "tool"]
    blocks: tuple[Piece, ...]


class Offered(Part):
    """A tool that the client offers."""

    name: str
    description: str
    executed: bool = Field(description="Whether the provider runs it itself.")


class Asked(Part):
    """A request."""

    model: str
    max_tokens: int | None
    system: tuple[Piece, ...]
    messages: tuple[Said, ...]
    tools: tuple[Offered, ...]


class Question(Part):
    """What is to be decided: `kind` says which of the last three is there."""

    version: Literal[1] = 1
    kind: Literal["request", "text", "tool_call"]
    policy: PolicyFacts
    call: CallFacts
    request: Asked | None = None
    text: str | None = None
    tool_call: Called | None = None


def question(subject: Request | Text | ToolCall, call: Call) -> Question:
    """The question whether `subject` may pass."""
    who = PolicyFacts(name=call.policy, version=call.version, mode=call.mode)
    facts = CallFacts(
        id=call.id, key=call.key, team=call.team, session=call.session, model=call.model, dialect=call.dialect
    )
    match subject:
        case Request():
            return Question(kind="request", policy=who, call=facts, request=_asked(subject))
        case Text():
            return Question(kind="text", policy=who, call=facts, text=subject.text)
    return Question(kind="tool_call", policy=who, call=facts, tool_call=_called(subject))


def _asked(request: Request) -> Asked:
    numbers = count()
    return Asked(
        model=request.model,
        max_tokens=request.max_tokens,
        system=tuple(_piece(block, None) for block in request.system),
        messages=tuple(_said(message, numbers) for message in request.messages),
        tools=tuple(
            Offered(name=tool.name, description=tool.description, executed=tool.executed) for tool in request.tools
        ),
    )


def _said(message: Message, numbers: Iterator[int]) -> Said:
    return Said(role=message.role, blocks=tuple(_piece(block, numbers) for block in message.blocks))


def _piece(block: RequestBlock, numbers: Iterator[int] | None) -> Piece:
    match block:
        case Text():
            return Piece(kind="text", text=block.text, edit=None if numbers is None else next(numbers))
        case Thinking():
            return Piece(kind="thinking", text=block.text)
        case ToolCall():
            return Piece(kind="tool_call", tool_call=_called(block))
        case ToolResult():
            inner = tuple(_piece(each, numbers) for each in block.blocks)
            return Piece(kind="tool_result", tool_call_id=block.tool_call_id, blocks=inner)
        case Image():
            return Piece(kind="image")
    return Piece(kind="opaque")


def _called(tool_call: ToolCall) -> Called:
    return Called(
        id=tool_call.id,
        name=tool_call.name,
        arguments=tool_call.arguments_text,
        custom=tool_call.custom,
        executed=tool_call.executed,
    )
