"""Reading what a policy must judge: what clients might read in another way than we do is refused. Pure.

Parsers differ: of a key that stands twice some take the first, some do not care for capitals, some cut lines where
others do not, and some go by an event's name instead of its type. What is judged would not be what such a client does.
"""

from __future__ import annotations

import re
from typing import Any

from gateway.errors import UpstreamGarbled
from policies import distinct_json

from .wire_json import Json, dumps, loads

_PROTOCOL_NAMES = frozenset(
    """
    action arguments background call_id choices code command commands container content content_block conversation
    custom delta description diff encrypted_content error finish_reason function function_call functions id index input
    input_schema instructions item item_id max_tokens message messages model name namespace operation output
    output_index output_text parameters part partial_json previous_response_id prompt reasoning reasoning_content
    refusal response role signature stop_reason stream summary system text thinking thread tool_call_id tool_calls
    tool_use_id tools type
    """.split()  # noqa: SIM905
)
_FREE = frozenset({"arguments", "client_metadata", "env", "input", "input_schema", "metadata", "parameters", "schema"})
"""Objects in which names are the tool's or the client's own, not the protocol's; lists of these names are not."""
_CONTAINERS = frozenset({dict, list})
_MOST_NAMES = 4096
_harmless = set(_PROTOCOL_NAMES)
"""Names that were looked at before: a provider says the same ones again and again. Bounded, because it chooses them."""
_LINE_END = re.compile(rb"\r\n|\n|\r")
_USUAL = re.compile(rb"(?:event: ([a-z_.]*)\n)?data:[^\r\n]*\n\n")
_FIELDS = frozenset({b"", b"data", b"event", b"id", b"retry"})
_BOM = b"\xef\xbb\xbf"


def unambiguous_object(data: bytes) -> Json:
    """The one JSON object that every parser finds in `data`, with integers of any length. Raises UpstreamGarbled."""
    data = data.strip()
    try:
        parsed = loads(data)
        # Written as the very same bytes, but for a provider's padding, no key was lost: none stood twice.
        if dumps(parsed) != (data if not data.endswith(b" }") else data[:-1].rstrip() + b"}"):
            parsed = distinct_json.loads(data.decode("utf-8", "surrogatepass"))
    except (ValueError, TypeError, RecursionError) as error:
        raise UpstreamGarbled("the provider sent what is not JSON, or JSON with the same key twice") from error
    if not isinstance(parsed, dict):
        raise UpstreamGarbled("the provider sent JSON that is not an object")
    if misspelled(parsed):
        raise UpstreamGarbled("the provider sent a field whose name is misspelled")
    return parsed


def misspelled(parsed: Json) -> str:
    """A name that is the protocol's but for its capitals, which some parsers do not mind; empty if there is none."""
    left: list[Any] = [parsed]
    while left:
        value = left.pop()
        if type(value) is list:
            left += [item for item in value if type(item) in _CONTAINERS]
            continue
        for name, member in value.items():
            if name not in _harmless and not _is_harmless(name):
                return str(name)
            if type(member) in _CONTAINERS and (name not in _FREE or type(member) is list):
                left.append(member)
    return ""


def _is_harmless(name: str) -> bool:
    if name.casefold() in _PROTOCOL_NAMES:
        return False
    if len(_harmless) < _MOST_NAMES and len(name) < 100:
        _harmless.add(name)
    return True


def event_name(raw: bytes) -> bytes:
    """The name of a frame's event, empty if it has none. Raises UpstreamGarbled if not all clients cut the frame alike.

    That is: a line with no field of the protocol, data within another line, or lines of data that could stand alone.
    """
    if (usual := _USUAL.fullmatch(raw)) is not None:
        return usual[1] or b""
    name = b""
    data: list[bytes] = []
    for line in _LINE_END.split(raw.removeprefix(_BOM)):
        field, _, value = line.partition(b":")
        if field not in _FIELDS or (field != b"data" and b"data:" in value):
            raise UpstreamGarbled("the provider sent lines that are no event")
        if field == b"data":
            data.append(value)
        elif field == b"event":
            name = value.removeprefix(b" ")
    if len(data) > 1 and any(_is_object(value) for value in data):
        raise UpstreamGarbled("the provider sent several objects as one event")
    return name


def _is_object(data: bytes) -> bool:
    try:
        return isinstance(loads(data), dict)
    except ValueError:
        return False
