"""What a client may count on of an answer that it received, whole or torn off. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from luthien_site.bench.workload import Dialect


@dataclass(frozen=True, slots=True)
class ReceivedTool:
    """A tool call that the client holds complete, and may have executed."""

    id: str
    name: str
    arguments: str


@dataclass(slots=True)
class Received:
    """`complete` says that the answer reached its end by the rules of its dialect."""

    complete: bool = False
    tools: list[ReceivedTool] = field(default_factory=list)


@dataclass(slots=True)
class _Draft:
    id: str = ""
    name: str = ""
    arguments: str = ""

    def done(self) -> ReceivedTool:
        return ReceivedTool(self.id, self.name, self.arguments)


def read_stream(dialect: Dialect, body: bytes) -> Received:
    """Of a stream, as far as it came: a line that is torn off says nothing."""
    lines = body.replace(b"\r\n", b"\n").split(b"\n")[:-1]
    frames = [line[5:].strip() for line in lines if line.startswith(b"data:")]
    return _read_openai(frames) if dialect == "openai" else _read_anthropic(frames)


def read_whole(dialect: Dialect, body: bytes) -> Received:
    """Of an unstreamed answer that came whole."""
    answer = json.loads(body)
    if dialect == "openai":
        calls = answer["choices"][0]["message"].get("tool_calls") or ()
        tools = [ReceivedTool(call["id"], call["function"]["name"], call["function"]["arguments"]) for call in calls]
    else:
        blocks = [block for block in answer["content"] if block["type"] == "tool_use"]
        tools = [ReceivedTool(block["id"], block["name"], json.dumps(block["input"])) for block in blocks]
    return Received(True, tools)


def _read_openai(frames: list[bytes]) -> Received:
    received, drafts = Received(), dict[int, _Draft]()
    for frame in frames:
        if frame == b"[DONE]":
            received.complete = True
            break
        for choice in json.loads(frame).get("choices", ()):
            for piece in choice["delta"].get("tool_calls") or ():
                _add(drafts.setdefault(piece["index"], _Draft()), piece)
            if choice.get("finish_reason"):
                received.tools = [draft.done() for draft in drafts.values()]
    # The next tool call, too, tells a client that the one before it is complete.
    received.tools = received.tools or [drafts[index].done() for index in sorted(drafts)[:-1]]
    return received


def _add(draft: _Draft, piece: dict[str, Any]) -> None:
    function = piece.get("function") or {}
    draft.id += piece.get("id") or ""
    draft.name += function.get("name") or ""
    draft.arguments += function.get("arguments") or ""


def _read_anthropic(frames: list[bytes]) -> Received:
    received, drafts = Received(), dict[int, _Draft]()
    for event in map(json.loads, frames):
        kind = event["type"]
        if kind == "content_block_start" and event["content_block"]["type"] == "tool_use":
            drafts[event["index"]] = _Draft(event["content_block"]["id"], event["content_block"]["name"])
        elif kind == "content_block_delta" and event["delta"]["type"] == "input_json_delta":
            drafts[event["index"]].arguments += event["delta"]["partial_json"]
        elif kind == "content_block_stop" and event["index"] in drafts:
            received.tools.append(drafts[event["index"]].done())
        elif kind == "message_stop":
            received.complete = True
    return received
