"""litellm's answers as OpenAI's bytes, without what only litellm says. Pure."""

from __future__ import annotations

import base64
import struct
from typing import Any

import orjson

Json = dict[str, Any]

DONE = b"data: [DONE]\n\n"
_TOP = ("id", "object", "created", "model", "system_fingerprint", "service_tier")
_SAID = ("role", "content", "refusal", "reasoning_content", "tool_calls", "function_call", "audio")
"""What a message or delta may say; all else would stand where no policy looks."""


def frame(chunk: Json) -> bytes:
    """A chunk of a stream, from its dump without nulls."""
    made = _completion(chunk, "delta")
    if "usage" in made and not any(choice["delta"] or choice["finish_reason"] for choice in made["choices"]):
        made["choices"] = []
    return b"data: " + orjson.dumps(made) + b"\n\n"


def completion(answer: Json) -> bytes:
    """A whole answer, from its dump without nulls."""
    return orjson.dumps(_completion(answer, "message"))


def embedding(answer: Json, encoding_format: str) -> bytes:
    """An answer of embeddings, from its dump; `encoding_format` as the client asked: `float` or `base64`."""
    data = [
        {"object": "embedding", "index": place, "embedding": _vector(entry["embedding"], encoding_format)}
        for place, entry in enumerate(answer["data"])
    ]
    usage = {name: (answer.get("usage") or {}).get(name, 0) for name in ("prompt_tokens", "total_tokens")}
    return orjson.dumps({"object": "list", "data": data, "model": answer.get("model"), "usage": usage})


def _completion(answer: Json, part: str) -> Json:
    made = {name: answer[name] for name in _TOP if name in answer}
    made["choices"] = [_choice(choice, part) for choice in answer.get("choices", ())]
    if usage := answer.get("usage"):
        made["usage"] = _usage(usage)
    return made


def _choice(choice: Json, part: str) -> Json:
    said = {name: value for name, value in (choice.get(part) or {}).items() if name in _SAID}
    if part == "message" and "tool_calls" in said:
        said["tool_calls"] = [_without_index(call) for call in said["tool_calls"]]
    made = {"index": choice.get("index", 0), part: said, "finish_reason": choice.get("finish_reason")}
    return made | ({"logprobs": choice["logprobs"]} if "logprobs" in choice else {})


def _without_index(call: Json) -> Json:
    """Only streams number their tool calls."""
    return {name: value for name, value in call.items() if name != "index"}


def _usage(usage: Json) -> Json:
    """OpenAI's counts; litellm says what was written to a cache beside them."""
    names = ("prompt_tokens", "completion_tokens", "total_tokens", "completion_tokens_details")
    made = {name: usage[name] for name in names if name in usage}
    details = dict(usage.get("prompt_tokens_details") or {})
    if written := usage.get("cache_creation_input_tokens"):
        details["cache_write_tokens"] = written
    return made | ({"prompt_tokens_details": details} if details else {})


def _vector(vector: Any, encoding_format: str) -> Any:
    if encoding_format == "base64" and not isinstance(vector, str):
        return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
    if encoding_format == "float" and isinstance(vector, str):
        raw = base64.b64decode(vector)
        return list(struct.unpack(f"<{len(raw) // 4}f", raw))
    return vector
