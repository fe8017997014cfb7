"""What clients ask and models say, once complete. Pure frozen values: no Django, no provider, no HTTP.

Every value keeps, as `source`, the parsed JSON that it was read from. A writer of the same dialect copies the source
and edits only what differs, so fields that we do not model survive a change. `source` takes no part in equality.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from . import distinct_json

Source = Any
"""Parsed JSON, or None for what a policy made."""

Role = Literal["system", "user", "assistant", "tool"]
BlockKind = Literal["text", "thinking", "tool_call", "opaque"]


class UnparsableArguments(ValueError):
    """A tool call's arguments are not one JSON object with distinct keys."""


@dataclass(frozen=True, slots=True)
class Text:
    text: str
    source: Source = field(default=None, compare=False, repr=False)

    kind = "text"


@dataclass(frozen=True, slots=True)
class Thinking:
    """A model's reasoning. `signature` is the provider's opaque proof of it; redacted thinking has no text."""

    text: str
    signature: str = ""
    source: Source = field(default=None, compare=False, repr=False)

    kind = "thinking"


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool that the model wants run, or that the provider already ran (`executed`).

    `arguments_text` is what the model wrote: JSON (empty means `{}`), or free text where the tool is `custom`.
    """

    id: str
    name: str
    arguments_text: str = ""
    executed: bool = False
    custom: bool = False
    source: Source = field(default=None, compare=False, repr=False)

    kind = "tool_call"

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments, parsed anew on each use; `{"input": text}` for a custom tool.

        Raises UnparsableArguments; the executor turns that into a block, because nobody knows what a client would run.
        """
        if self.custom:
            return {"input": self.arguments_text}
        return parse_arguments(self.arguments_text)

    def with_arguments(self, arguments: Mapping[str, Any]) -> Self:
        """The same call with other arguments."""
        text = arguments["input"] if self.custom else json.dumps(arguments, ensure_ascii=False, separators=(",", ":"))
        return dataclasses.replace(self, arguments_text=text)


@dataclass(frozen=True, slots=True)
class Opaque:
    """A block that Luthien does not model. It travels untouched; `type` is the name its dialect gives it."""

    type: str
    source: Source = field(default=None, compare=False, repr=False)

    kind = "opaque"


@dataclass(frozen=True, slots=True)
class Image:
    """An image in a request: `data` is base64 with its `media_type`, or `url` says where it lies."""

    media_type: str = ""
    data: str = ""
    url: str = ""
    source: Source = field(default=None, compare=False, repr=False)

    kind = "image"


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a client's tool returned for the call `tool_call_id`."""

    tool_call_id: str
    blocks: tuple[RequestBlock, ...] = ()
    is_error: bool = False
    source: Source = field(default=None, compare=False, repr=False)

    kind = "tool_result"


Block = Text | Thinking | ToolCall | Opaque
RequestBlock = Text | Thinking | ToolCall | Opaque | Image | ToolResult


@dataclass(frozen=True, slots=True)
class Message:
    role: Role
    blocks: tuple[RequestBlock, ...]
    source: Source = field(default=None, compare=False, repr=False)

    @property
    def text(self) -> str:
        """The message's own text, blocks joined by line breaks; tool results are not part of it."""
        return "\n".join(block.text for block in self.blocks if isinstance(block, Text))


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that the client offers. `executed` ones run at the provider, out of a policy's sight.

    The input of a `custom` one is free text.
    """

    name: str
    description: str = ""
    schema: Mapping[str, Any] = field(default_factory=dict)
    executed: bool = False
    custom: bool = False
    source: Source = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Request:
    """A whole request. `structured` says that the client asked for output of a given shape; `choices` is `n`."""

    model: str
    messages: tuple[Message, ...] = ()
    system: tuple[RequestBlock, ...] = ()
    tools: tuple[Tool, ...] = ()
    stream: bool = False
    max_tokens: int | None = None
    structured: bool = False
    choices: int = 1
    source: Source = field(default=None, compare=False, repr=False)

    @property
    def last_user_text(self) -> str:
        """The text of the last user message that has any, else the empty string."""
        for message in reversed(self.messages):
            if message.role == "user" and message.text:
                return message.text
        return ""

    def texts(self) -> Iterator[str]:
        """Every text of the request: system, messages and tool results."""
        yield from _texts(self.system)
        for message in self.messages:
            yield from _texts(message.blocks)

    def map_text(self, change: Callable[[str], str], roles: tuple[Role, ...] = ("user",)) -> Request:
        """This request with `change` applied to the texts of the messages of `roles`; itself if nothing changed."""
        messages = tuple(
            message if message.role not in roles else _with_blocks(message, _map_blocks(message.blocks, change))
            for message in self.messages
        )
        if all(new is old for new, old in zip(messages, self.messages, strict=True)):
            return self
        return dataclasses.replace(self, messages=messages)


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of a call. `input_tokens` excludes what was read from or written to the provider's cache."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    source: Source = field(default=None, compare=False, repr=False)


NO_USAGE = Usage()


@dataclass(frozen=True, slots=True)
class Response:
    """A whole answer. `stop_reason` uses Anthropic's words: end_turn, max_tokens, tool_use, refusal, ..."""

    id: str = ""
    model: str = ""
    blocks: tuple[Block, ...] = ()
    stop_reason: str = ""
    usage: Usage = NO_USAGE
    source: Source = field(default=None, compare=False, repr=False)

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        return tuple(block for block in self.blocks if isinstance(block, ToolCall))

    @property
    def text(self) -> str:
        """All text blocks, joined by line breaks."""
        return "\n".join(block.text for block in self.blocks if isinstance(block, Text))


def parse_arguments(text: str) -> dict[str, Any]:
    """Parse a tool call's arguments. Raises UnparsableArguments also on duplicate keys, NaN and deep nesting."""
    if not text.strip():
        return {}
    try:
        parsed = distinct_json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnparsableArguments("arguments are not valid JSON") from error
    if not isinstance(parsed, dict):
        raise UnparsableArguments("arguments are not a JSON object")
    return parsed


def _texts(blocks: tuple[RequestBlock, ...]) -> Iterator[str]:
    for block in blocks:
        if isinstance(block, Text):
            yield block.text
        elif isinstance(block, ToolResult):
            yield from _texts(block.blocks)


def _map_blocks(blocks: tuple[RequestBlock, ...], change: Callable[[str], str]) -> tuple[RequestBlock, ...]:
    return tuple(_map_block(block, change) for block in blocks)


def _map_block(block: RequestBlock, change: Callable[[str], str]) -> RequestBlock:
    if isinstance(block, Text):
        text = change(block.text)
        return block if text == block.text else dataclasses.replace(block, text=text)
    if isinstance(block, ToolResult):
        inner = _map_blocks(block.blocks, change)
        return block if _same(inner, block.blocks) else dataclasses.replace(block, blocks=inner)
    return block


def _with_blocks(message: Message, blocks: tuple[RequestBlock, ...]) -> Message:
    return message if _same(blocks, message.blocks) else dataclasses.replace(message, blocks=blocks)


def _same(new: tuple[RequestBlock, ...], old: tuple[RequestBlock, ...]) -> bool:
    return len(new) == len(old) and all(a is b for a, b in zip(new, old, strict=True))
