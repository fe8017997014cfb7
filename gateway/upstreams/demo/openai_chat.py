"""The demo provider in OpenAI Chat Completions. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from gateway.upstreams.demo.script import Entry, Pace, Prompt, Result, Tool, Turn, UserText, Words
from gateway.upstreams.demo.wire import Malformed, Part, between, required

_CREATED = 1_767_225_600
"""The start of 2026: an answer is a function of its request, and of no clock."""
_ERRORS = {
    400: ("invalid_request_error", None),
    401: ("invalid_request_error", "invalid_api_key"),
    403: ("invalid_request_error", None),
    404: ("invalid_request_error", "model_not_found"),
    429: ("requests", "rate_limit_exceeded"),
}


def read(body: dict[str, Any], seed: str) -> Prompt:
    model, messages = required(body, "model", str), required(body, "messages", list)
    if not messages:
        raise Malformed("messages: at least one message is required")
    choices = body.get("n") or 1
    if not (isinstance(choices, int) and 1 <= choices <= 128):
        raise Malformed("n: a whole number from 1 to 128")
    options = body.get("stream_options")
    return Prompt(
        model,
        [entry for message in messages if isinstance(message, dict) for entry in _entries(message)],
        sum(len(text.split()) for message in messages for text in _texts(message)),
        seed,
        stream=body.get("stream") is True,
        wants_usage=isinstance(options, dict) and options.get("include_usage") is True,
        choices=choices,
    )


def stream(prompt: Prompt, turn: Turn) -> Iterator[Part | Pace]:
    head = _head(prompt, "chat.completion.chunk")
    for choice in range(prompt.choices):
        yield from _choice(prompt, turn, head, choice)
        if turn.broken:
            return
    if prompt.wants_usage:
        yield _frame({**head, "choices": [], "usage": _usage(prompt, turn)})
    yield b"data: [DONE]\n\n"


def whole(prompt: Prompt, turn: Turn) -> bytes:
    message: dict[str, Any] = {"role": "assistant", "content": turn.text("text") or None, "refusal": None}
    if thinking := turn.text("thinking"):
        message["reasoning_content"] = thinking
    if turn.tools:
        message["tool_calls"] = [
            {**_opening(tool), "function": {"name": tool.name, "arguments": tool.arguments}} for tool in turn.tools
        ]
    choices = [
        {"index": index, "message": message, "logprobs": None, "finish_reason": _finish_reason(turn)}
        for index in range(prompt.choices)
    ]
    return orjson.dumps({**_head(prompt, "chat.completion"), "choices": choices, "usage": _usage(prompt, turn)})


def error(status: int, message: str, seed: str) -> bytes:
    kind, code = _ERRORS.get(status, ("server_error" if status >= 500 else "invalid_request_error", None))
    return orjson.dumps({"error": {"message": message, "type": kind, "param": None, "code": code}})


def models(names: Iterable[str]) -> bytes:
    data = [{"id": name, "object": "model", "created": _CREATED, "owned_by": "demo"} for name in names]
    return orjson.dumps({"object": "list", "data": data})


def _choice(prompt: Prompt, turn: Turn, head: dict[str, Any], choice: int) -> Iterator[Part | Pace]:
    write = _ChunkWriter(head, choice, prompt.wants_usage)
    yield write.delta({"role": "assistant", "content": "", "refusal": None})
    failure = b"data: " + error(500, "The script failed here.", prompt.seed) + b"\n\n"
    written: set[str] = set()
    tools = 0
    for step in turn.steps:
        if isinstance(step, Words):
            field = "content" if step.kind == "text" else "reasoning_content"
            # There is one text in this dialect: what others have as blocks stands in lines.
            yield from write.text(field, ("\n" if field in written else "") + step.pieces[0], step.pieces[1:])
            written.add(field)
        elif isinstance(step, Tool):
            yield write.delta({"tool_calls": [{"index": tools, **_opening(step)}]})
            for fragment in step.fragments:
                yield write.delta({"tool_calls": [{"index": tools, "function": {"arguments": fragment}}]})
            tools += 1
        else:
            yield between(step, failure)
    if not turn.broken:
        yield write.delta({}, _finish_reason(turn))


class _ChunkWriter:
    """Writes the chunks of one choice; what is the same in all of them is encoded once."""

    def __init__(self, head: dict[str, Any], choice: int, usage: bool) -> None:
        self._before = orjson.dumps(head)[:-1] + b',"choices":[{"index":%d,"delta":' % choice
        self._usage = b',"usage":null}\n\n' if usage else b"}\n\n"

    def delta(self, delta: dict[str, Any], finish_reason: str | None = None) -> bytes:
        return self._chunk(orjson.dumps(delta), orjson.dumps(finish_reason))

    def text(self, field: str, first: str, rest: Iterable[str]) -> Iterator[bytes]:
        name = b'{"%b":' % field.encode()
        for piece in (first, *rest):
            yield self._chunk(name + orjson.dumps(piece) + b"}", b"null")

    def _chunk(self, delta: bytes, reason: bytes) -> bytes:
        return b'data: %b%b,"logprobs":null,"finish_reason":%b}]%b' % (self._before, delta, reason, self._usage)


def _frame(data: dict[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(data) + b"\n\n"


def _head(prompt: Prompt, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{prompt.seed[:24]}",
        "object": kind,
        "created": _CREATED,
        "model": prompt.model,
        "service_tier": "default",
        "system_fingerprint": "fp_demo",
    }


def _opening(tool: Tool) -> dict[str, Any]:
    return {"id": f"call_{tool.id}", "type": "function", "function": {"name": tool.name, "arguments": ""}}


def _finish_reason(turn: Turn) -> str:
    return "tool_calls" if turn.tools else "stop"


def _usage(prompt: Prompt, turn: Turn) -> dict[str, Any]:
    output = turn.output_tokens * prompt.choices
    return {
        "prompt_tokens": prompt.words,
        "completion_tokens": output,
        "total_tokens": prompt.words + output,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": turn.tokens("thinking") * prompt.choices, "audio_tokens": 0},
    }


def _entries(message: dict[str, Any]) -> Iterator[Entry]:
    if message.get("role") == "user":
        yield from (UserText(text) for text in _texts(message))
    elif message.get("role") == "tool":
        yield Result(str(message.get("tool_call_id", "")).removeprefix("call_"))


def _texts(message: Any) -> Iterator[str]:
    content = message.get("content") if isinstance(message, dict) else None
    for part in [{"text": content}] if isinstance(content, str) else content or ():
        if isinstance(part, dict) and isinstance(part.get("text"), str):
            yield part["text"]
