"""Clients of each dialect for the conformance matrix: what they ask, and what their official SDKs make of an answer."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import anthropic
import httpx
import httpx2
import openai

from gateway.dialects import ANTHROPIC, OPENAI_CHAT, OPENAI_RESPONSES, Dialect

PIXEL = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(32)).decode()
TOOLS = ("bash", "look")
PARAMETERS = {"type": "object", "properties": {"c": {"type": "string"}}}
SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "integer"}},
    "required": ["a"],
    "additionalProperties": False,
}
Json = dict[str, Any]


@dataclass
class Said:
    """An answer as a client understands it; `stop_reason` in the client's own word."""

    thinking: str
    text: str
    tool_calls: list[tuple[str, str, Any]]
    stop_reason: str
    usage: tuple[int, int]
    model: str


class SdkClient(Protocol):
    """One dialect's client."""

    dialect: Dialect
    path: str
    reasons: dict[str, str]
    """Its words for the neutral stop reasons."""
    failure: type[Exception]
    """What its SDK raises for an error, before the answer or within."""

    def body(self, script: str, wants: Sequence[str], stream: bool) -> Json:
        """A request; `wants` may be thinking, tools, image, shape."""
        ...

    def read(self, status: int, body: bytes, stream: bool) -> Said: ...


class AnthropicClient:
    dialect = ANTHROPIC
    path = "/messages"
    reasons = {"end_turn": "end_turn", "tool_use": "tool_use"}
    failure: type[Exception] = anthropic.APIStatusError

    def body(self, script: str, wants: Sequence[str], stream: bool) -> Json:
        image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}
        content: list[Json] = [image] if "image" in wants else []
        body: Json = {"model": "public", "max_tokens": 9000, "stream": stream}
        body["messages"] = [{"role": "user", "content": [*content, {"type": "text", "text": script}]}]
        if "tools" in wants:
            body["tools"] = [{"name": name, "input_schema": PARAMETERS} for name in TOOLS]
        if "thinking" in wants:
            body["thinking"] = {"type": "enabled", "budget_tokens": 2000}
        if "shape" in wants:
            body["output_config"] = {"format": {"type": "json_schema", "schema": SCHEMA}}
        return body

    def read(self, status: int, body: bytes, stream: bool) -> Said:
        http = httpx2.Client(transport=httpx2.MockTransport(lambda _: httpx2.Response(status, **_sent(body, stream))))
        client = anthropic.Anthropic(api_key="k", http_client=http, max_retries=0)
        asked: Any = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
        if stream:
            with client.messages.stream(**asked) as events:
                message: Any = events.get_final_message()
        else:
            message = client.messages.create(**asked)
        assert (message.type, message.role) == ("message", "assistant")
        blocks = {kind: [b for b in message.content if b.type == kind] for kind in ("thinking", "text", "tool_use")}
        return Said(
            "".join(block.thinking for block in blocks["thinking"]),
            "\n\n".join(block.text for block in blocks["text"]),
            [(block.id, block.name, block.input) for block in blocks["tool_use"]],
            message.stop_reason,
            (message.usage.input_tokens, message.usage.output_tokens),
            message.model,
        )


class ChatClient:
    dialect = OPENAI_CHAT
    path = "/chat/completions"
    reasons = {"end_turn": "stop", "tool_use": "tool_calls"}
    failure: type[Exception] = openai.APIError

    def body(self, script: str, wants: Sequence[str], stream: bool) -> Json:
        image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}
        content: list[Json] = [image] if "image" in wants else []
        body: Json = {"model": "public"}
        body["messages"] = [{"role": "user", "content": [*content, {"type": "text", "text": script}]}]
        if stream:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        if "tools" in wants:
            body["tools"] = [
                {"type": "function", "function": {"name": name, "parameters": PARAMETERS}} for name in TOOLS
            ]
        if "thinking" in wants:
            body["reasoning_effort"] = "low"
        if "shape" in wants:
            shape = {"name": "shape", "schema": SCHEMA, "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": shape}
        return body

    def read(self, status: int, body: bytes, stream: bool) -> Said:
        http = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(status, **_sent(body, stream))))
        client = openai.OpenAI(api_key="k", http_client=http, max_retries=0)
        asked: Any = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
        if stream:
            with client.chat.completions.stream(**asked) as events:
                completion: Any = events.get_final_completion()
        else:
            completion = client.chat.completions.create(**asked)
        (choice,) = completion.choices
        message = choice.message
        calls = [
            (each.id, each.function.name, json.loads(each.function.arguments or "{}"))
            for each in message.tool_calls or ()
        ]
        return Said(
            getattr(message, "reasoning_content", None) or "",
            message.content or "",
            calls,
            choice.finish_reason,
            (completion.usage.prompt_tokens, completion.usage.completion_tokens),
            completion.model,
        )


def _sent(body: bytes, stream: bool) -> Any:
    content_type = "text/event-stream" if stream else "application/json"
    return {"headers": {"content-type": content_type}, "content": body}


class ResponsesClient:
    dialect = OPENAI_RESPONSES
    path = "/responses"
    reasons = {"end_turn": "completed", "tool_use": "completed"}
    failure: type[Exception] = openai.OpenAIError

    def body(self, script: str, wants: Sequence[str], stream: bool) -> Json:
        image = {"type": "input_image", "image_url": f"data:image/png;base64,{PIXEL}", "detail": "auto"}
        content: list[Json] = [image] if "image" in wants else []
        body: Json = {"model": "public", "stream": stream, "store": False}
        body["input"] = [{"role": "user", "content": [*content, {"type": "input_text", "text": script}]}]
        if "tools" in wants:
            body["tools"] = [{"type": "function", "name": name, "parameters": PARAMETERS} for name in TOOLS]
        if "thinking" in wants:
            body["reasoning"] = {"effort": "low", "summary": "auto"}
        if "shape" in wants:
            shape = {"type": "json_schema", "name": "shape", "schema": SCHEMA, "strict": True}
            body["text"] = {"format": shape}
        return body

    def read(self, status: int, body: bytes, stream: bool) -> Said:
        http = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(status, **_sent(body, stream))))
        client = openai.OpenAI(api_key="k", http_client=http, max_retries=0)
        asked: Any = {"model": "m", "input": "hi"}
        if stream:
            with client.responses.stream(**asked) as events:
                last: Any = list(events)[-1]
            if last.type == "error" or last.response.status == "failed":
                raise openai.OpenAIError(str(last))
            response: Any = last.response
        else:
            response = client.responses.create(**asked)
        items = {kind: [item for item in response.output if item.type == kind] for kind in _ITEMS}
        assert sum(map(len, items.values())) == len(response.output)
        return Said(
            "".join(part.text for item in items["reasoning"] for part in [*item.summary, *(item.content or ())]),
            "\n\n".join(part.text for item in items["message"] for part in item.content),
            [(item.call_id, item.name, json.loads(item.arguments or "{}")) for item in items["function_call"]],
            response.status,
            (response.usage.input_tokens, response.usage.output_tokens),
            response.model,
        )


_ITEMS = ("reasoning", "message", "function_call")


CLIENTS: list[SdkClient] = [AnthropicClient(), ChatClient(), ResponsesClient()]
"""One a dialect that clients speak, and that providers may be spoken to in."""
