"""A request and an answer that somebody pasted, in whichever dialect they are. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .material import Material, NotReplayable

_PATHS = {"anthropic": "/messages", "openai_chat": "/chat/completions", "openai_responses": "/responses"}
_STREAM, _WHOLE = "text/event-stream; charset=utf-8", "application/json"
_KEY = "playground"
_BOM = "\ufeff"
_ANTHROPIC_BLOCKS = frozenset({"tool_use", "tool_result", "thinking", "redacted_thinking", "document"})


def pasted(request: str, answer: str = "", dialect: str = "") -> Material:
    """The call that these texts say: a request as JSON, an answer as JSON or as server-sent events, or none.

    `dialect` is recognised where it is empty. A request that does not fit its answer, streamed or not, is made to.
    Raises NotReplayable.
    """
    request, answer = request.lstrip(_BOM), answer.lstrip(_BOM)
    asked = _object(request, "The request")
    streamed = _is_stream(answer)
    said = {} if streamed or not answer.strip() else _object(answer, "The answer")
    name = dialect or _answered_in(answer if streamed else "", said) or _asked_in(asked)
    if name not in _PATHS:
        raise NotReplayable("Neither text says which API it belongs to: choose one.")
    body = request
    if answer.strip() and bool(asked.get("stream")) != streamed:
        body = json.dumps({**asked, "stream": streamed})
    return Material(
        dialect=name,
        path=_PATHS[name],
        request=body.encode("utf-8", "surrogatepass"),
        answer=_bytes(answer, streamed) if answer.strip() else None,
        headers={"content-type": "application/json"},
        answer_headers=[("content-type", _STREAM if streamed else _WHOLE)],
        provider="pasted",
        model=str(asked.get("model", "")),
        key=_KEY,
    )


def _object(text: str, what: str) -> Mapping[str, Any]:
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError) as error:
        where = f": line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        raise NotReplayable(f"{what} is not JSON{where}.") from None
    if not isinstance(parsed, dict):
        raise NotReplayable(f"{what} is not a JSON object.")
    return parsed


def _is_stream(answer: str) -> bool:
    return answer.lstrip().startswith(("event:", "data:", ":", "id:", "retry:"))


def _bytes(answer: str, streamed: bool) -> bytes:
    """Browsers make every line end of a form two characters, and the last blank line is easily lost."""
    text = answer.replace("\r\n", "\n")
    return (text.strip("\n") + "\n\n" if streamed else text).encode("utf-8", "surrogatepass")


def _answered_in(stream: str, said: Mapping[str, Any]) -> str:
    """The dialect of an answer: a stream's text, or a whole one as an object."""
    if '"message_start"' in stream or said.get("type") == "message":
        return "anthropic"
    if '"response.' in stream or said.get("object") == "response":
        return "openai_responses"
    if '"chat.completion.chunk"' in stream or '"choices"' in stream or "choices" in said:
        return "openai_chat"
    return ""


def _asked_in(asked: Mapping[str, Any]) -> str:
    if "input" in asked:
        return "openai_responses"
    if "messages" not in asked:
        return ""
    return "anthropic" if _is_anthropic(asked) else "openai_chat"


def _is_anthropic(asked: Mapping[str, Any]) -> bool:
    tools = asked.get("tools")
    if "system" in asked or any("input_schema" in tool for tool in _objects(tools)):
        return True
    messages = _objects(asked["messages"])
    if any(message.get("role") in ("system", "developer", "tool") or "tool_calls" in message for message in messages):
        return False
    blocks = [block for message in messages for block in _objects(message.get("content"))]
    if any(block.get("type") in _ANTHROPIC_BLOCKS for block in blocks):
        return True
    return "max_tokens" in asked and not _objects(tools) and not str(asked.get("model", "")).startswith(("gpt", "o"))


def _objects(value: object) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
