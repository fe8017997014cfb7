"""The policies that can be used, as people look for them: by category, by words, with what they do. Pure."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from policies.base import HOOKS, Policy
from policies.content import Request, Text, ToolCall
from policies.examples import CATEGORIES, Example

CATEGORY_TITLES = {
    "plain": "Plain",
    "tools": "Tools",
    "data": "Data",
    "limits": "Limits",
    "judges": "Judges",
    "other": "Other",
}
DOES = {
    "allow": "passes",
    "replace": "becomes",
    "block": "is blocked",
    "stop": "ends the answer",
    "respond": "is answered at once",
    "refuse": "is refused",
    "reroute": "goes to another model",
    "retry": "is asked again",
}
_HOOK_WORDS = {
    "on_request": "requests",
    "on_event": "answers",
    "on_text_delta": "text as it streams",
    "on_text": "text",
    "on_thinking": "thinking",
    "on_tool_call_delta": "tool calls",
    "on_tool_call": "tool calls",
    "on_answer": "whole answers",
}


@dataclass(frozen=True, slots=True)
class Sample:
    """An example in words: what the policy sees, and what becomes of it."""

    title: str
    kind: str
    sees: str
    does: str
    action: str
    becomes: str | None
    configured: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """One policy class. `summary` is the first paragraph of its text, `details` the others."""

    name: str
    category: str
    summary: str
    details: tuple[str, ...]
    judges: tuple[str, ...]
    samples: tuple[Sample, ...]

    @property
    def words(self) -> str:
        return " ".join((self.name, self.name.replace("_", " "), self.category, self.summary, *self.details)).lower()


def entry(name: str, policy: type[Policy]) -> Entry:
    paragraphs = [" ".join(part.split()) for part in inspect.cleandoc(policy.__doc__ or "").split("\n\n")]
    hooks = [hook for hook in HOOKS if getattr(policy, hook) is not getattr(Policy, hook)]
    judges = dict.fromkeys(_HOOK_WORDS[hook] for hook in hooks if hook in _HOOK_WORDS)
    samples = tuple(_sample(example) for example in policy.examples)
    return Entry(name, policy.category, paragraphs[0], tuple(paragraphs[1:]), tuple(judges), samples)


def grouped(policies: Mapping[str, type[Policy]], search: str = "", category: str = "") -> dict[str, list[Entry]]:
    """Entries by the title of their category, those that hold every word of `search`; no category is empty."""
    entries = [entry(name, policy) for name, policy in sorted(policies.items())]
    found = [each for each in entries if category in ("", each.category) and _holds(each, search.lower().split())]
    groups = {CATEGORY_TITLES[key]: [each for each in found if each.category == key] for key in CATEGORIES}
    return {title: group for title, group in groups.items() if group}


def _holds(each: Entry, words: Iterable[str]) -> bool:
    return all(word in each.words for word in words)


def _sample(example: Example) -> Sample:
    kind, sees = _seen(example.sees)
    does = DOES.get(example.does, example.does)
    return Sample(example.title, kind, sees, does, example.does, example.becomes, bool(example.config))


def _seen(sees: Request | Text | ToolCall) -> tuple[str, str]:
    match sees:
        case Text():
            return "text", sees.text
        case ToolCall():
            return "tool call", f"{sees.name} {sees.arguments_text}".strip()
    tools = [f"tool: {tool.name}" for tool in sees.tools]
    return "request", "\n".join([*sees.texts(), *tools]) or f"model: {sees.model}"
