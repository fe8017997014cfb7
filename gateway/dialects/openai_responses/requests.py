"""OpenAI's Responses requests to neutral content. Every input item is a message of its own, where it stands."""

from __future__ import annotations

from typing import Any

from gateway.dialects.fields import (
    objects,
    optional_bool,
    optional_integer,
    optional_object,
    optional_string,
    required_string,
    wrong,
)
from gateway.dialects.strict_json import read_object
from gateway.dialects.wire_json import Json
from gateway.errors import BadRequest
from policies.content import Image, Message, Opaque, Request, RequestBlock, Role, Text, ToolResult

from .items import read_item
from .tools import read_tools

ROLES: dict[Any, Role] = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}
RESULTS = frozenset(
    {"apply_patch_call_output", "custom_tool_call_output", "function_call_output", "local_shell_call_output"}
)
"""Items whose `output` is a text, or a list of parts."""
_OF_THE_CLIENT: dict[str, Role] = {"mcp_approval_response": "user", "item_reference": "assistant"}
_HIDING = ("previous_response_id", "conversation", "prompt", "background")
_FREE_FORMS = (None, "text")
_HIDDEN = (
    "`{}` refers to what only the provider has, so no policy could see it. "
    "Send the whole conversation in `input`, or have your administrator allow it."
)


def read_request(body: bytes, hidden_history: bool = False) -> Request:
    """Raises BadRequest, unless `hidden_history` also for fields that name what the gateway cannot see."""
    source = read_object(body)
    model = required_string(source, "model")
    if not hidden_history:
        _refuse_hidden(source)
    return Request(
        model=model,
        messages=_messages(source),
        system=_instructions(source),
        tools=read_tools(source),
        stream=optional_bool(source, "stream"),
        max_tokens=optional_integer(source, "max_output_tokens"),
        structured=optional_object(optional_object(source, "text"), "format", "text.").get("type") not in _FREE_FORMS,
        source=source,
    )


def read_message(source: Json, where: str = "") -> Message:
    """One input item. Raises BadRequest where one that we model is malformed; all others are opaque."""
    type_name = optional_string(source, "type", where) or ("item_reference" if _is_only_id(source) else "message")
    if type_name == "message":
        role = source.get("role")
        if not isinstance(role, str) or role not in ROLES:
            raise wrong(where + "role", "user, assistant, system or developer")
        return Message(ROLES[role], read_content(source, "content", where), source=source)
    if type_name in RESULTS:
        call_id = optional_string(source, "call_id", where) or optional_string(source, "id", where)
        blocks = read_content(source, "output", where, required=False)
        return Message("tool", (ToolResult(call_id, blocks, source=source),), source=source)
    if type_name.endswith("_output"):
        return Message("tool", (Opaque(type_name, source=source),), source=source)
    if type_name in _OF_THE_CLIENT:
        return Message(_OF_THE_CLIENT[type_name], (Opaque(type_name, source=source),), source=source)
    try:
        return Message("assistant", tuple(read_item(source)), source=source)
    except (KeyError, TypeError, AttributeError) as error:
        raise wrong(where.rstrip("."), f"a {type_name} with the fields of its type") from error


def read_content(source: Json, name: str, where: str = "", required: bool = True) -> tuple[RequestBlock, ...]:
    """A string, or a list of parts."""
    content = source.get(name)
    if content is None and not required:
        return ()
    if isinstance(content, str):
        return (Text(content),) if content else ()
    if not isinstance(content, list):
        raise wrong(where + name, "a string or a list of parts")
    parts = objects(source, name, where)
    return tuple(read_part(part, f"{where}{name}[{place}].") for place, part in enumerate(parts))


def read_part(source: Json, where: str = "") -> RequestBlock:
    """A part of a message or of a tool's output; unknown ones are opaque, unless they hold a text."""
    match required_string(source, "type", where):
        case "input_text" | "output_text" | "text":
            return Text(optional_string(source, "text", where), source=source)
        case "refusal":
            return Text(optional_string(source, "refusal", where), source=source)
        case "input_image" if source.get("image_url"):
            return _image(optional_string(source, "image_url", where), source)
        case _ if isinstance(source.get("text"), str):
            return Text(source["text"], source=source)
        case type_name:
            return Opaque(type_name, source=source)


def _messages(source: Json) -> tuple[Message, ...]:
    given = source.get("input")
    if isinstance(given, str):
        return (Message("user", (Text(given),)),) if given else ()
    if given is None and source.get("prompt"):
        return ()
    if not isinstance(given, list):
        raise wrong("input", "a string or a list of items")
    return tuple(read_message(item, f"input[{place}].") for place, item in enumerate(objects(source, "input")))


def _instructions(source: Json) -> tuple[RequestBlock, ...]:
    """A text, or, where a stored prompt fills it, items that we do not take apart."""
    given = source.get("instructions")
    if isinstance(given, list) and source.get("prompt"):
        return tuple(Opaque("instructions", source=item) for item in given)
    text = optional_string(source, "instructions")
    return (Text(text),) if text else ()


def _refuse_hidden(source: Json) -> None:
    for name in _HIDING:
        if source.get(name):
            raise BadRequest(_HIDDEN.format(name), param=name, code="hidden_history")
    given = source.get("input")
    for place, item in enumerate(given if isinstance(given, list) else ()):
        if isinstance(item, dict) and (item.get("type") == "item_reference" or _is_only_id(item)):
            name = f"input[{place}]"
            raise BadRequest(_HIDDEN.format(f"{name} (item_reference)"), param=name, code="hidden_history")


def _is_only_id(item: Json) -> bool:
    """A reference may leave out its type."""
    return bool(item.get("id")) and not item.get("type") and not item.get("role")


def _image(url: str, source: Json) -> Image:
    head, comma, data = url.partition(";base64,")
    if comma and head.startswith("data:"):
        return Image(head.removeprefix("data:"), data, source=source)
    return Image(url=url, source=source)
