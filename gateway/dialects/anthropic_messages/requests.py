"""Anthropic's requests to neutral content."""

from __future__ import annotations

from typing import Any

from gateway.dialects.fields import (
    objects,
    optional_bool,
    optional_integer,
    optional_object,
    optional_string,
    required_objects,
    required_string,
    wrong,
)
from gateway.dialects.strict_json import read_object
from gateway.dialects.wire_json import Json
from gateway.errors import NotFound
from policies.content import Image, Message, Opaque, Request, RequestBlock, Role, Text, Tool, ToolResult

from .blocks import read_block

_ROLES: dict[Any, Role] = {"user": "user", "assistant": "assistant", "system": "system"}
_CLIENT_TOOLS = ("custom", "bash_", "text_editor_", "computer_", "memory_", "browser_")
"""Beginnings of the types of tools that the client runs; every other typed tool runs at the provider."""


def read_request(body: bytes) -> Request:
    """Raises BadRequest, and NotFound for a thread whose history we would not see."""
    source = read_object(body)
    model = required_string(source, "model")
    if optional_object(source, "thread").get("type") == "continue":
        raise NotFound("This gateway keeps no threads: send the whole conversation.", code="thread_not_found")
    messages = required_objects(source, "messages")
    return Request(
        model=model,
        messages=tuple(_message(message, f"messages.{place}.") for place, message in enumerate(messages)),
        system=read_content(source, "system", "", missing=()),
        tools=tuple(read_tool(tool) for tool in objects(source, "tools")),
        stream=optional_bool(source, "stream"),
        max_tokens=optional_integer(source, "max_tokens"),
        structured=bool(source.get("output_format") or optional_object(source, "output_config").get("format")),
        source=source,
    )


def read_content(
    source: Json, name: str, where: str, missing: tuple[RequestBlock, ...] | None = None
) -> tuple[RequestBlock, ...]:
    """A string, or a list of blocks; `missing` where there is nothing, unless something is required."""
    content = source.get(name)
    if content is None and missing is not None:
        return missing
    if isinstance(content, str):
        return (Text(content),)
    if not isinstance(content, list):
        raise wrong(where + name, "a string or a list of blocks")
    blocks = objects(source, name, where)
    return tuple(read_request_block(block, f"{where}{name}.{place}.") for place, block in enumerate(blocks))


def read_request_block(source: Json, where: str = "") -> RequestBlock:
    """Raises BadRequest where a block that we model is malformed; all others are opaque."""
    match required_string(source, "type", where):
        case "image":
            return _image(source, where)
        case "tool_result":
            return ToolResult(
                optional_string(source, "tool_use_id", where),
                read_content(source, "content", where, missing=()),
                optional_bool(source, "is_error", where),
                source=source,
            )
        case _:
            try:
                return read_block(source)
            except (KeyError, TypeError) as error:
                raise wrong(where.rstrip("."), "a block with the fields of its type") from error


def read_tool(source: Json) -> Tool:
    type_name = optional_string(source, "type", "tools.")
    schema = optional_object(source, "input_schema", "tools.")
    return Tool(
        optional_string(source, "name", "tools.") or type_name,
        optional_string(source, "description", "tools."),
        schema,
        executed=bool(type_name) and not type_name.startswith(_CLIENT_TOOLS),
        source=source,
    )


def _message(source: Json, where: str) -> Message:
    role = source.get("role")
    if not isinstance(role, str) or role not in _ROLES:
        raise wrong(where + "role", "user, assistant or system")
    return Message(_ROLES[role], read_content(source, "content", where), source=source)


def _image(source: Json, where: str) -> RequestBlock:
    image = optional_object(source, "source", where)
    match image.get("type"):
        case "base64":
            where += "source."
            media_type, data = optional_string(image, "media_type", where), optional_string(image, "data", where)
            return Image(media_type, data, source=source)
        case "url":
            return Image(url=optional_string(image, "url", where + "source."), source=source)
        case _:
            return Opaque("image", source=source)
