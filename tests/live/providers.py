"""The real providers that can be reached from here, and what they are asked in each client dialect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

from tests.plugins.real import GIVEN

Json = dict[str, Any]

SCHEMA = {"type": "object", "properties": {"at": {"type": "string"}}, "required": ["at"], "additionalProperties": False}
TEXT = "say pong"
# Both a sentence for a model and a script for the demo provider, so that the matrix itself can be tried without a key.
TOOL = 'tool look {"at": "moon"}\nCall the tool look once, with "moon" as the place to look at. Say nothing else.'


@dataclass(frozen=True)
class Provider:
    """An entry of a configuration file, and the model that is asked for. Its credential is in the variable `key`."""

    name: str
    entry: Json
    model: str
    key: str = ""


def found() -> list[Provider]:
    """Those whose keys are set, and an Ollama if one answers; once through its own API, once through litellm."""
    named = [
        _keyed("anthropic", "ANTHROPIC", "https://api.anthropic.com", "claude-haiku-4-5"),
        _keyed("openai", "OPENAI", "https://api.openai.com/v1", "gpt-5-mini"),
    ]
    return [provider for provider in named if provider is not None] + _ollama()


def _keyed(dialect: str, variable: str, url: str, model: str) -> Provider | None:
    key = f"{variable}_API_KEY"
    if not GIVEN.get(key):
        return None
    base_url = GIVEN.get(f"{variable}_BASE_URL") or url
    entry = {"dialect": dialect, "base_url": base_url, "api_key": f"${{{key}}}"}
    return Provider(dialect, entry, GIVEN.get(f"{variable}_MODEL") or model, key)


def _ollama() -> list[Provider]:
    host = GIVEN.get("OLLAMA_HOST", "")
    if not host:
        return []
    url = host if "://" in host else f"http://{host}"
    try:
        models = [each["name"] for each in httpx.get(f"{url}/api/tags", timeout=5).json()["models"]]
    except (httpx.HTTPError, ValueError, KeyError):
        return []
    model = GIVEN.get("OLLAMA_MODEL") or next(iter(models), "")
    native = {"dialect": "openai", "base_url": f"{url}/v1", "api_key": "ollama", "responses": False}
    through = {"dialect": "litellm", "litellm_provider": "ollama_chat", "base_url": url}
    return [Provider("ollama", native, model), Provider("ollama-litellm", through, model)] if model else []


def anthropic(text: str, tool: bool) -> Json:
    body: Json = {"max_tokens": 2000, "messages": [{"role": "user", "content": text}]}
    tools = [{"name": "look", "description": "Looks at a place.", "input_schema": SCHEMA}]
    return body | ({"tools": tools, "tool_choice": {"type": "any"}} if tool else {})


def chat(text: str, tool: bool) -> Json:
    body: Json = {"messages": [{"role": "user", "content": text}]}
    function = {"name": "look", "description": "Looks at a place.", "parameters": SCHEMA}
    tools = [{"type": "function", "function": function}]
    return body | ({"tools": tools, "tool_choice": "required"} if tool else {})


def responses(text: str, tool: bool) -> Json:
    tools = [{"type": "function", "name": "look", "description": "Looks at a place.", "parameters": SCHEMA}]
    return {"input": text} | ({"tools": tools, "tool_choice": "required"} if tool else {})


CLIENTS = {"/v1/messages": anthropic, "/v1/chat/completions": chat, "/v1/responses": responses}
