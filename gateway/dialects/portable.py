"""A request in the normal form from which every dialect can make its own. Pure.

`system` holds texts. Messages are of users, assistants and, further down, the system; no two of the same role follow
one another, and none is empty. A user's message has its tool results first, which hold texts and images. An
assistant's has no text behind a tool call. Ids and names of tools are such as all dialects take. Nothing has a source.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from gateway.errors import BadRequest
from policies.content import (
    Image,
    Message,
    Opaque,
    Request,
    RequestBlock,
    Role,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
)

from .base import Dialect
from .custom_tools import as_function, as_function_call
from .fields import source_of
from .settings import Settings, ToolChoice
from .signatures import signed_by
from .tool_names import own_id, safe_id, safe_name

_BILLING = "x-anthropic-billing-header"
"""Begins a line that clients put before the system text; it changes with every call and means nothing elsewhere."""
_NOT_IN: dict[Role, tuple[type, ...]] = {
    "user": (ToolCall,),
    "assistant": (Image, ToolResult),
    "tool": (ToolCall,),
}
_DOCUMENTS = {"document": "a document", "file": "a file", "input_audio": "audio", "input_file": "a file"}


def portable(
    request: Request, settings: Settings, dialect: Dialect, provider: str
) -> tuple[Request, Settings, tuple[str, ...]]:
    """The request and its settings in the normal form, and what was left out, in words for the record.

    It goes to the provider of that name, in that dialect. Raises BadRequest, which names what may not be left out.
    """
    if request.choices > 1:
        raise BadRequest("This model gives one answer a call: `n` must be 1.", param="n")
    carrier = _Carrier(settings, dialect, provider)
    system, messages = _apart(request)
    normal = dataclasses.replace(
        request,
        system=carrier.system(system),
        messages=carrier.messages(messages),
        tools=carrier.tools(request.tools),
        source=None,
    )
    if not normal.messages:
        raise BadRequest("`messages` must hold something that this model can be asked.", param="messages")
    choice = settings.tool_choice
    if choice is not None and choice.mode == "tool":
        name = safe_name(choice.tool)
        choice = ToolChoice("tool", name) if any(tool.name == name for tool in normal.tools) else None
    return normal, dataclasses.replace(settings, tool_choice=choice), tuple(dict.fromkeys(carrier.dropped))


def _apart(request: Request) -> tuple[Sequence[RequestBlock], Sequence[Message]]:
    """The system's text, also where it stands in the first messages, and the rest; alone it is what is asked."""
    system = list(request.system)
    for place, message in enumerate(request.messages):
        if message.role != "system":
            return system, request.messages[place:]
        system += message.blocks
    return request.system, [Message("user", message.blocks) for message in request.messages]


class _Carrier:
    """Carries content over, and notes in `dropped` what stays behind."""

    def __init__(self, settings: Settings, dialect: Dialect, provider: str) -> None:
        self.dropped: list[str] = list(settings.dropped)
        self._settings = settings
        self._dialect = dialect
        self._provider = provider

    def system(self, blocks: Iterable[RequestBlock]) -> tuple[RequestBlock, ...]:
        texts = [self._only_text(block) for block in blocks]
        return tuple(text for text in texts if text.text.strip() and not text.text.startswith(_BILLING))

    def messages(self, messages: Iterable[Message]) -> tuple[Message, ...]:
        carried = [(_role(message), self._message(message)) for message in messages]
        spoken = [(role, blocks) for role, blocks in carried if blocks]
        return tuple(
            Message(role, _in_order(role, [block for _, blocks in group for block in blocks]))
            for role, group in groupby(spoken, key=lambda pair: pair[0])
        )

    def tools(self, tools: Sequence[Tool]) -> tuple[Tool, ...]:
        """A tool that runs at the provider may be missing among others, but not where the call is about it."""
        allowed = self._settings.allowed
        offered = [tool for tool in tools if not allowed or tool.name in allowed]
        hosted = [tool.name for tool in offered if tool.executed]
        choice = self._settings.tool_choice
        if hosted and (len(hosted) == len(offered) or (choice is not None and choice.tool in hosted)):
            raise BadRequest(f"The tool {hosted[0][:100]} runs at its own provider only.", param="tools")
        self.dropped += [f"the hosted tool {name[:100]}" for name in hosted]
        kept = [tool for tool in offered if not tool.executed]
        carried = tuple(map(self._tool, kept))
        if len({tool.name for tool in carried}) < len({tool.name for tool in kept}):
            # The model's call could mean either, and only one of them would be judged.
            raise BadRequest("Two tools have names that are the same for this model.", param="tools")
        return carried

    def _tool(self, tool: Tool) -> Tool:
        type_name = (source_of(tool) or {}).get("type")
        if not tool.schema and type_name not in (None, "function", "custom"):
            raise BadRequest(f"No other provider knows tools of the type {type_name[:100]}.", param="tools")
        if tool.custom and not self._dialect.has_custom_tools:
            tool = as_function(tool, self._settings.grammars.get(tool.name, ""))
        return dataclasses.replace(tool, name=safe_name(tool.name), source=None)

    def _message(self, message: Message) -> list[RequestBlock]:
        if message.role == "system":
            return [text for block in message.blocks if (text := self._only_text(block)).text.strip()]
        if any(isinstance(block, _NOT_IN[message.role]) for block in message.blocks):
            raise BadRequest(f"A message of the role {message.role} holds what may not stand there.", param="messages")
        return [carried for block in message.blocks for carried in self._block(block)]

    def _block(self, block: RequestBlock) -> Iterator[RequestBlock]:
        match block:
            case Text():
                if block.text.strip():
                    yield Text(block.text)
            case Thinking():
                signature = signed_by(self._provider, block.signature)
                if signature is not None:
                    yield Thinking(block.text, signature)
                else:
                    self.dropped.append("thinking that another provider signed")
            case ToolCall():
                yield from self._tool_call(block)
            case Image():
                yield dataclasses.replace(block, source=None)
            case ToolResult():
                yield self._tool_result(block)
            case Opaque():
                self._leave(block)

    def _tool_call(self, call: ToolCall) -> Iterator[ToolCall]:
        if call.executed:
            self.dropped.append(f"a call of the hosted tool {call.name[:100]}")
            return
        if call.custom and not self._dialect.has_custom_tools:
            call = as_function_call(call)
        yield dataclasses.replace(call, id=self._id(call.id), name=safe_name(call.name), source=None)

    def _tool_result(self, result: ToolResult) -> ToolResult:
        blocks = tuple(carried for block in result.blocks for carried in self._block(block))
        if not all(isinstance(block, Text | Image) for block in blocks):
            raise BadRequest("A tool's result may hold texts and images here.", param="messages")
        return ToolResult(self._id(result.tool_call_id), blocks, result.is_error)

    def _id(self, tool_call_id: str) -> str:
        own = own_id(tool_call_id)
        return safe_id(own) if self._dialect.plain_ids else own

    def _leave(self, block: Opaque) -> None:
        """Results of hosted tools stand beside what the model made of them; all else is somebody's question."""
        if block.type.endswith(("_tool_result", "_call", "_call_output")) or block.type == "container_upload":
            self.dropped.append(f"a block of the type {block.type[:100]}")
            return
        what = _DOCUMENTS.get(block.type, f"a block of the type {block.type[:100]}")
        raise BadRequest(f"This model cannot be given {what}.", param="messages")

    def _only_text(self, block: RequestBlock) -> Text:
        if not isinstance(block, Text):
            raise BadRequest(f"A system message may hold only text here, not {block.kind}.", param="messages")
        return Text(block.text)


def _role(message: Message) -> Role:
    return "user" if message.role == "tool" else message.role


def _in_order(role: Role, blocks: list[RequestBlock]) -> tuple[RequestBlock, ...]:
    """Results before what else a user says; texts before the tool calls that an assistant makes."""
    if role == "user":
        return tuple(sorted(blocks, key=lambda block: not isinstance(block, ToolResult)))
    first = next((place for place, block in enumerate(blocks) if isinstance(block, ToolCall)), len(blocks))
    late = [block for block in blocks[first:] if isinstance(block, Text)]
    return (*blocks[:first], *late, *(block for block in blocks[first:] if not isinstance(block, Text)))
