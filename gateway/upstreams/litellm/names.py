"""The providers that litellm knows, read from its files: to import it would take seconds."""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache
from pathlib import Path

_NAME = re.compile(r'^    [A-Z0-9_]+ = "([^"]+)"', re.MULTILINE)
_OPTION = re.compile(r"[\w.:/-]{1,200}", re.ASCII)
OPTIONS = frozenset(
    {
        *("api_version", "aws_region_name", "organization", "project_id", "space_id"),
        *("vertex_location", "vertex_project"),
    }
)
"""What a provider's row may hand to litellm beside address and credential: no secrets, no switches."""
_AMBIENT = frozenset(
    {
        *("chatgpt", "github_copilot", "sagemaker", "sagemaker_chat", "sagemaker_nova"),
        *("vertex_ai", "vertex_ai_beta", "gigachat", "oci"),
    }
)
"""litellm takes their credentials from the machine: from files, roles, a login. Ours stand in the provider's row."""


@cache
def provider_names() -> frozenset[str]:
    """What may stand in a provider's `litellm_provider`. Raises FileNotFoundError where litellm is not installed."""
    spec = importlib.util.find_spec("litellm")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("litellm is not installed")
    package = Path(spec.submodule_search_locations[0])
    source = (package / "types/utils.py").read_text(encoding="utf-8")
    names = source.partition("class LlmProviders(")[2].partition("\nclass ")[0]
    like_openai = json.loads((package / "llms/openai_like/providers.json").read_bytes())
    return frozenset({*_NAME.findall(names), *like_openai}) - _AMBIENT


def name_problem(name: str, *, wanted: bool) -> str:
    """What is wrong with a provider's `litellm_provider`, empty for nothing; `wanted` says that it must have one."""
    if not name:
        return "Say what litellm calls this provider." if wanted else ""
    if not wanted:
        return "Only a provider of the dialect litellm has this name."
    if name in _AMBIENT:
        return f"litellm would look for the credential of {name} on this machine, which Luthien does not allow."
    if name in provider_names():
        return ""
    close = get_close_matches(name, provider_names(), 1)
    return f"litellm knows no provider {name}{f'; did you mean {close[0]}?' if close else '.'}"


def option_problems(options: object) -> Iterator[str]:
    """What is wrong with a provider's `litellm_options`."""
    if not isinstance(options, dict):
        yield "A JSON object of names and texts."
        return
    for name, value in options.items():
        if name not in OPTIONS:
            yield f"{name!r} cannot be set here; these can: {', '.join(sorted(OPTIONS))}."
        elif not (isinstance(value, str) and _OPTION.fullmatch(value)):
            yield f"The value of {name} is not a plain text."
