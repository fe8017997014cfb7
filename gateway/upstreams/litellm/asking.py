"""From an OpenAI body to the arguments of litellm's functions. Pure.

Only the fields named here become arguments: litellm takes addresses, credentials and switches from the same ones.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import orjson

from gateway.errors import BadRequest

Json = dict[str, Any]

_ALWAYS = frozenset({"model", "messages", "stream", "stream_options"})
_NEEDED = frozenset(
    {
        *("tools", "tool_choice", "functions", "function_call", "response_format", "n", "stop", "max_tokens"),
        *("max_completion_tokens", "logprobs", "top_logprobs", "modalities", "audio", "web_search_options"),
    }
)
"""Without these the answer would be another than what was asked for."""
_HARMLESS = frozenset(
    {
        *("temperature", "top_p", "frequency_penalty", "presence_penalty", "logit_bias", "seed", "user"),
        *("parallel_tool_calls", "reasoning_effort", "verbosity", "thinking", "service_tier", "prediction"),
        *("safety_identifier", "prompt_cache_key", "prompt_cache_retention", "store"),
    }
)
_MODEL = re.compile(r"(?!.*\.\.)[\w.:/@+-]{1,200}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Asked:
    """`arguments` for litellm, but the model; `dropped` are fields that do not go along."""

    model: str
    arguments: Json
    dropped: tuple[str, ...] = ()


def completion(body: bytes, supported: Collection[str] | None) -> Asked:
    """What a chat body asks for; `supported` are the fields that the provider knows, None where nobody can tell.

    Raises BadRequest for a field that it does not know and that cannot be left out.
    """
    asked = orjson.loads(body)
    given = {name: value for name, value in asked.items() if value is not None and name not in _ALWAYS}
    if asked.get("stream") and given.get("n", 1) != 1:
        raise BadRequest("This provider streams one choice at a time: ask for n=1.", param="n")
    known = {name for name in given if _goes_along(name, given[name], supported)}
    arguments: Json = {"messages": asked["messages"], **{name: given[name] for name in sorted(known)}}
    if asked.get("stream"):
        arguments |= {"stream": True, "stream_options": {"include_usage": True}}
    return Asked(model_name(asked), arguments, tuple(sorted(given.keys() - known)))


def embedding(body: bytes) -> Asked:
    """What an embeddings body asks for; its `encoding_format` is for `answering.embedding`."""
    asked = orjson.loads(body)
    fields = ("input", "dimensions", "user")
    arguments = {name: asked[name] for name in fields if asked.get(name) is not None}
    dropped = asked.keys() - {*fields, "model", "encoding_format"}
    return Asked(model_name(asked), arguments, tuple(sorted(dropped)))


def model_name(asked: Json) -> str:
    """The model's name, which some providers want in the address. Raises BadRequest for one that would lead astray."""
    name = asked["model"]
    if not _MODEL.fullmatch(name):
        raise BadRequest("This provider has no model of such a name.", param="model", code="model_not_found")
    return str(name)


def _goes_along(name: str, value: Any, supported: Collection[str] | None) -> bool:
    if name not in _NEEDED | _HARMLESS:
        return False
    if supported is None or name in supported:
        return True
    if name in _NEEDED and not _says_nothing(name, value):
        raise BadRequest(f"This provider does not know {name}, and it cannot be left out.", param=name)
    return False


def _says_nothing(name: str, value: Any) -> bool:
    """Whether the answer is the same without it."""
    return (
        value is False or value == [] or (name == "n" and value == 1) or (name.endswith("_choice") and value == "auto")
    )
