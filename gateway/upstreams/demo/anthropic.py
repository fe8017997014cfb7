"""The demo provider in Anthropic Messages. Pure."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from gateway.upstreams.demo.script import Entry, Pace, Prompt, Result, Tool, Turn, UserText, Words
from gateway.upstreams.demo.wire import Malformed, Part, between, required

_ERRORS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}
_PING = b'event: ping\ndata: {"type": "ping"}\n\n'
_BLOCK_STOP = b'event: content_block_stop\ndata: {"type":"content_block_stop","index":%d}\n\n'
_DELTA = (
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":{"type":"%b","%b":%b}}\n\n'
)


def read(body: dict[str, Any], seed: str) -> Prompt:
    model, messages = required(body, "model", str), required(body, "messages", list)
    if not messages:
        raise Malformed("messages: at least one message is required")
    entries = [entry for message in messages if _is_user(message) for entry in _entries(message)]
    texts = [*_texts(body.get("system")), *(text for message in messages for text in _texts(message))]
    return Prompt(model, entries, sum(len(text.split()) for text in texts), seed, stream=body.get("stream") is True)


def stream(prompt: Prompt, turn: Turn) -> Iterator[Part | Pace]:
    message = _message(prompt, [], None, output_tokens=1)
    yield _event({"type": "message_start", "message": message})
    failure = b"event: error\ndata: " + error(529, "The script failed here.", prompt.seed) + b"\n\n"
    index = -1
    is_open = False
    for step in turn.steps:
        if isinstance(step, Words | Tool):
            if is_open:
                yield _BLOCK_STOP % index
            index, is_open = index + 1, True
            yield _event({"type": "content_block_start", "index": index, "content_block": _opening(step)})
            if index == 0:
                yield _PING
            yield from _deltas(step, index)
        else:
            yield between(step, failure)
    if turn.broken:
        return
    if is_open:
        yield _BLOCK_STOP % index
    delta = {"stop_reason": _stop_reason(turn), "stop_sequence": None}
    yield _event({"type": "message_delta", "delta": delta, "usage": {"output_tokens": turn.output_tokens}})
    yield _event({"type": "message_stop"})


def whole(prompt: Prompt, turn: Turn) -> bytes:
    content = [_block(step) for step in turn.steps if isinstance(step, Words | Tool)]
    return orjson.dumps(_message(prompt, content, _stop_reason(turn), turn.output_tokens))


def error(status: int, message: str, seed: str) -> bytes:
    kind = _ERRORS.get(status, "api_error" if status >= 500 else "invalid_request_error")
    return orjson.dumps(
        {"type": "error", "error": {"type": kind, "message": message}, "request_id": f"req_{seed[:24]}"}
    )


def models(names: Iterable[str]) -> bytes:
    data = [{"type": "model", "id": name, "display_name": name, "created_at": "2025-01-01T00:00:00Z"} for name in names]
    first, last = (data[0]["id"], data[-1]["id"]) if data else (None, None)
    return orjson.dumps({"data": data, "has_more": False, "first_id": first, "last_id": last})


def count(prompt: Prompt) -> bytes:
    """The answer to count_tokens: a word is a token."""
    return orjson.dumps({"input_tokens": prompt.words})


def _event(data: dict[str, Any]) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (data["type"].encode(), orjson.dumps(data))


def _deltas(step: Words | Tool, index: int) -> Iterator[bytes]:
    if isinstance(step, Tool):
        for fragment in ["", *step.fragments]:
            yield _DELTA % (index, b"input_json_delta", b"partial_json", orjson.dumps(fragment))
        return
    kind, field = (b"text_delta", b"text") if step.kind == "text" else (b"thinking_delta", b"thinking")
    for piece in step.pieces:
        yield _DELTA % (index, kind, field, orjson.dumps(piece))
    if step.kind == "thinking":
        yield _DELTA % (index, b"signature_delta", b"signature", orjson.dumps(_signature(step)))


def _opening(step: Words | Tool) -> dict[str, Any]:
    if isinstance(step, Tool):
        return {"type": "tool_use", "id": f"toolu_{step.id}", "name": step.name, "input": {}}
    if step.kind == "thinking":
        return {"type": "thinking", "thinking": "", "signature": ""}
    return {"type": "text", "text": ""}


def _block(step: Words | Tool) -> dict[str, Any]:
    if isinstance(step, Tool):
        return {**_opening(step), "input": _input(step.arguments)}
    if step.kind == "thinking":
        return {"type": "thinking", "thinking": "".join(step.pieces), "signature": _signature(step)}
    return {"type": "text", "text": "".join(step.pieces)}


def _input(arguments: str) -> dict[str, Any]:
    """A whole answer holds an object, so what is none is wrapped into one."""
    try:
        parsed = orjson.loads(arguments or "{}")
    except orjson.JSONDecodeError:
        parsed = arguments
    return parsed if isinstance(parsed, dict) else {"unparsed": parsed}


def _signature(step: Words) -> str:
    return base64.b64encode(("signed:" + "".join(step.pieces)).encode(errors="replace")[:96]).decode()


def _message(prompt: Prompt, content: list[Any], stop_reason: str | None, output_tokens: int) -> dict[str, Any]:
    return {
        "id": f"msg_{prompt.seed[:24]}",
        "type": "message",
        "role": "assistant",
        "model": prompt.model,
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": {
            "input_tokens": prompt.words,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": output_tokens,
            "service_tier": "standard",
        },
    }


def _stop_reason(turn: Turn) -> str:
    return "tool_use" if turn.tools else "end_turn"


def _is_user(message: Any) -> bool:
    return isinstance(message, dict) and message.get("role") == "user"


def _entries(message: dict[str, Any]) -> Iterator[Entry]:
    content = message.get("content")
    for block in [{"type": "text", "text": content}] if isinstance(content, str) else content or ():
        if isinstance(block, dict) and block.get("type") == "text":
            yield UserText(str(block.get("text", "")))
        elif isinstance(block, dict) and block.get("type") == "tool_result":
            yield Result(str(block.get("tool_use_id", "")).removeprefix("toolu_"))


def _texts(value: Any) -> Iterator[str]:
    """Every text in a system prompt, a message or a block."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        yield from _texts(value.get("text"))
        yield from _texts(value.get("content"))
