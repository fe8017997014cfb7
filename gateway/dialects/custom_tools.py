"""Tools whose input is free text, said as functions where a dialect only knows those, and back. Pure."""

from __future__ import annotations

import dataclasses
from typing import Any

from policies.content import Tool, ToolCall, UnparsableArguments

from .wire_json import dumps_text

_INPUT = "input"


def as_function(tool: Tool, grammar: str) -> Tool:
    """A function with one string for its input. The `grammar` of that goes into words, for want of another place."""
    said = [tool.description, f"The input must be in this form:\n{grammar}" if grammar else ""]
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {_INPUT: {"type": "string", "description": "The whole input of the tool, as plain text."}},
        "required": [_INPUT],
        "additionalProperties": False,
    }
    description = "\n\n".join(text for text in said if text)
    return dataclasses.replace(tool, description=description, schema=schema, custom=False)


def as_function_call(call: ToolCall) -> ToolCall:
    return dataclasses.replace(call, arguments_text=dumps_text({_INPUT: call.arguments_text}), custom=False)


def free_text(arguments_text: str) -> str:
    """The input in a function's arguments; the arguments as they are where they are something else."""
    try:
        arguments = ToolCall("", "", arguments_text).arguments
    except UnparsableArguments:
        return arguments_text
    text = arguments.get(_INPUT)
    return text if isinstance(text, str) and len(arguments) == 1 else arguments_text
