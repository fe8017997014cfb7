"""The demo provider in OpenAI Responses. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from gateway.upstreams.demo.openai_chat import error, models
from gateway.upstreams.demo.script import Entry, Pace, Prompt, Result, Tool, Turn, UserText, Words
from gateway.upstreams.demo.wire import Malformed, Part, between, required

__all__ = ["error", "models", "read", "stream", "whole"]

_CREATED = 1_767_225_600
"""The start of 2026: an answer is a function of its request, and of no clock."""
_DELTA = b'event: %b\ndata: {"type":"%b","sequence_number":%d,"item_id":%b,"output_index":%d,%b"delta":%b%b}\n\n'

Json = dict[str, Any]


def read(body: Json, seed: str) -> Prompt:
    model, given = required(body, "model", str), body.get("input")
    items = [{"role": "user", "content": given}] if isinstance(given, str) else given
    if not isinstance(items, list) or not items:
        raise Malformed("input: a text, or at least one item")
    known = [item for item in items if isinstance(item, dict)]
    texts = [text for item in known for text in _texts(item.get("content"))]
    texts += _texts(body.get("instructions"))
    tools = {tool.get("name") for tool in body.get("tools") or () if _is_custom(tool)}
    return Prompt(
        model,
        [entry for item in known for entry in _entries(item)],
        sum(len(text.split()) for text in texts),
        seed,
        stream=body.get("stream") is True,
        custom_tools=frozenset(name for name in tools if isinstance(name, str)),
    )


def stream(prompt: Prompt, turn: Turn) -> Iterator[Part | Pace]:
    write = _Events()
    begun = _response(prompt, turn, [], "in_progress")
    yield write.event("response.created", {"response": begun})
    yield write.event("response.in_progress", {"response": begun})
    output: list[Json] = []
    for step in turn.steps:
        if isinstance(step, Words | Tool):
            item = _item(prompt, step, len(output))
            yield from _streamed(write, step, item, len(output))
            output.append(item)
        else:
            yield between(step, write.event("error", {"code": "server_error", "message": _FAILED, "param": None}))
    if not turn.broken:
        yield write.event("response.completed", {"response": _response(prompt, turn, output, "completed")})


def whole(prompt: Prompt, turn: Turn) -> bytes:
    steps = [step for step in turn.steps if isinstance(step, Words | Tool)]
    output = [_item(prompt, step, index) for index, step in enumerate(steps)]
    return orjson.dumps(_response(prompt, turn, output, "completed"))


_FAILED = "The script failed here."


class _Events:
    """Numbers the events of one stream."""

    def __init__(self) -> None:
        self._number = -1

    def event(self, type_name: str, fields: Json) -> bytes:
        self._number += 1
        data = orjson.dumps({"type": type_name, "sequence_number": self._number, **fields})
        return b"event: %b\ndata: %b\n\n" % (type_name.encode(), data)

    def deltas(self, type_name: str, item: Json, index: int, place: Json, pieces: Iterable[str]) -> Iterator[bytes]:
        """An event a piece; what is the same in all of them is encoded once."""
        name, item_id = type_name.encode(), orjson.dumps(item["id"])
        where = b"".join(b'"%b":%d,' % (field.encode(), at) for field, at in place.items())
        rest = b',"logprobs":[]' if "content_index" in place else b""
        for piece in pieces:
            self._number += 1
            yield _DELTA % (name, name, self._number, item_id, index, where, orjson.dumps(piece), rest)


def _streamed(write: _Events, step: Words | Tool, item: Json, index: int) -> Iterator[bytes]:
    yield write.event("response.output_item.added", {"output_index": index, "item": _opening(item)})
    where: Json = {"item_id": item["id"], "output_index": index}
    if isinstance(step, Tool):
        field, name = (
            ("input", "custom_tool_call_input") if "input" in item else ("arguments", "function_call_arguments")
        )
        yield from write.deltas(f"response.{name}.delta", item, index, {}, step.fragments)
        yield write.event(f"response.{name}.done", {**where, field: step.arguments})
    else:
        is_text = step.kind == "text"
        place = {"content_index" if is_text else "summary_index": 0}
        part = (item["content"] if is_text else item["summary"])[0]
        names = ("content_part", "output_text") if is_text else ("reasoning_summary_part", "reasoning_summary_text")
        outer, inner = (f"response.{name}" for name in names)
        yield write.event(f"{outer}.added", {**where, **place, "part": {**part, "text": ""}})
        yield from write.deltas(f"{inner}.delta", item, index, place, step.pieces)
        said = {"text": part["text"], **({"logprobs": []} if is_text else {})}
        yield write.event(f"{inner}.done", {**where, **place, **said})
        yield write.event(f"{outer}.done", {**where, **place, "part": part})
    yield write.event("response.output_item.done", {"output_index": index, "item": item})


def _item(prompt: Prompt, step: Words | Tool, index: int) -> Json:
    seed = f"{prompt.seed[:24]}{index:04x}"
    if isinstance(step, Tool):
        call = {"status": "completed", "call_id": f"call_{step.id}", "name": step.name}
        if step.name in prompt.custom_tools:
            return {"id": f"ctc_{seed}", "type": "custom_tool_call", **call, "input": step.arguments}
        return {"id": f"fc_{seed}", "type": "function_call", **call, "arguments": step.arguments}
    text = "".join(step.pieces)
    if step.kind == "thinking":
        return {"id": f"rs_{seed}", "type": "reasoning", "summary": [{"type": "summary_text", "text": text}]}
    content = [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}]
    return {"id": f"msg_{seed}", "type": "message", "status": "completed", "role": "assistant", "content": content}


def _opening(item: Json) -> Json:
    """The item as it is announced."""
    empty: Json = {"content": [], "summary": [], "arguments": "", "input": "", "status": "in_progress"}
    return {name: empty.get(name, value) for name, value in item.items()}


def _response(prompt: Prompt, turn: Turn, output: list[Json], status: str) -> Json:
    return {
        "id": f"resp_{prompt.seed[:24]}",
        "object": "response",
        "created_at": _CREATED,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": None,
        "metadata": {},
        "model": prompt.model,
        "output": output,
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "store": False,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": _usage(prompt, turn) if status == "completed" else None,
    }


def _usage(prompt: Prompt, turn: Turn) -> Json:
    return {
        "input_tokens": prompt.words,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": turn.output_tokens,
        "output_tokens_details": {"reasoning_tokens": turn.tokens("thinking")},
        "total_tokens": prompt.words + turn.output_tokens,
    }


def _entries(item: Json) -> Iterator[Entry]:
    if item.get("role") == "user":
        yield from (UserText(text) for text in _texts(item.get("content")))
    elif str(item.get("type", "")).endswith("_call_output"):
        yield Result(str(item.get("call_id", "")).removeprefix("call_"))


def _texts(content: Any) -> list[str]:
    parts = [{"text": content}] if isinstance(content, str) else content or ()
    return [part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str)]


def _is_custom(tool: Any) -> bool:
    return isinstance(tool, dict) and tool.get("type") == "custom"
