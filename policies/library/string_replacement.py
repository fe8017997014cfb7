"""Text replaced by other text."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Protocol, Self

import re2
from pydantic import BaseModel, ConfigDict, Field, model_validator

from policies.base import Call, Policy
from policies.content import Request, Text, ToolCall
from policies.examples import Example
from policies.verdicts import Verdict, allow, replace

_REFERENCE = re.compile(r"\\(?:([0-9])|g<(\w+)>|(\\)|(.?))", re.DOTALL)


class Rule(BaseModel):
    """One replacement."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    find: str = Field(min_length=1, description="What to look for.")
    replace: str = Field(description=r"What to put in its place; \1 and \g<name> are groups of a regular expression.")
    regex: bool = Field(False, description="Look for a regular expression (RE2), within lines.")
    ignore_case: bool = Field(False, description="Do not distinguish capital and small letters.")

    @model_validator(mode="after")
    def _compiles(self) -> Self:
        if self.regex:
            try:
                _template(self.replace, _pattern(self))
            except re2.error as error:
                raise ValueError(f"the regular expression cannot be used: {_words(error)}") from None
        return self


class StringReplacement(Policy):
    """Replaces text in answers, and if you wish in what users write and in the arguments of tool calls.

    Rules are applied one after the other, each to what the one before made. Plain text is found wherever the stream is
    cut. Regular expressions are RE2's, which take linear time, and match within a line: a line is held until it ends.
    """

    category = "plain"
    examples = (
        Example(
            "A product by its new name",
            Text("Ask Acme for help."),
            "replace",
            "Ask Umbra for help.",
            {"rules": [{"find": "Acme", "replace": "Umbra"}]},
        ),
        Example(
            "Ticket numbers by a regular expression",
            Text("See T-4711."),
            "replace",
            "See ticket 4711.",
            {"rules": [{"find": r"T-(\d+)", "replace": r"ticket \1", "regex": True}]},
        ),
    )

    class Config(Policy.Config):
        rules: tuple[Rule, ...] = Field((), description="The replacements, in the order in which they are applied.")
        requests: bool = Field(False, description="Also replace in what users write and what their tools return.")
        tool_arguments: bool = Field(False, description="Also replace in every text of a tool call's arguments.")

    config: Config

    def __init__(self, config: Config | None = None) -> None:
        super().__init__(config)
        self._stages = [_regex_stage(rule) if rule.regex else _literal_stage(rule) for rule in self.config.rules]

    def overrides(self, hook: str) -> bool:
        idle = {"on_request": not self.config.requests, "on_tool_call": not self.config.tool_arguments}
        return super().overrides(hook) and not idle.get(hook, False)

    async def on_request(self, request: Request, call: Call) -> Verdict:
        changed = request.map_text(self._replace, roles=("user", "tool"))
        return allow() if changed is request else replace(changed, "text replaced")

    def on_text_delta(self, text: str, call: Call, final: bool) -> tuple[str, int]:
        # Each stage keeps what it still needs: a later one sees text that is not the input's, so that no number of
        # trailing input characters could bring it back.
        stages: list[Stage] = call.state.get("stages") or [make() for make in self._stages]
        for stage in stages:
            text = stage.feed(text, final)
        call.state["stages"] = None if final else stages
        return text, 0

    async def on_tool_call(self, tool_call: ToolCall, call: Call) -> Verdict:
        arguments = tool_call.arguments
        changed = _map_strings(arguments, self._replace)
        return allow() if changed == arguments else replace(tool_call.with_arguments(changed), "arguments replaced")

    def _replace(self, text: str) -> str:
        for make in self._stages:
            text = make().feed(text, True)
        return text


class Stage(Protocol):
    """One rule at work on one text."""

    def feed(self, text: str, final: bool) -> str:
        """What is certain once `text` has arrived, all that is left if it is the last."""
        ...


class _Literal:
    def __init__(self, find: str, replacement: str, fold: Callable[[str], str]) -> None:
        self._find, self._replacement, self._fold = find, replacement, fold
        self._kept = ""

    def feed(self, text: str, final: bool) -> str:
        text = self._kept + text
        folded, size = self._fold(text), len(self._find)
        pieces: list[str] = []
        at = 0
        while (found := folded.find(self._find, at)) >= 0:
            pieces += text[at:found], self._replacement
            at = found + size
        end = len(text) if final else len(text) - self._open_end(folded, at)
        pieces.append(text[at:end])
        self._kept = text[end:]
        return "".join(pieces)

    def _open_end(self, folded: str, at: int) -> int:
        """How many of the last characters may be the beginning of a match."""
        for size in range(min(len(self._find) - 1, len(folded) - at), 0, -1):
            if folded.endswith(self._find[:size]):
                return size
        return 0


class _Lines:
    def __init__(self, change: Callable[[str], str]) -> None:
        self._change = change
        self._kept: list[str] = []

    def feed(self, text: str, final: bool) -> str:
        lines = text.split("\n")
        self._kept.append(lines[0])
        if len(lines) == 1 and not final:
            return ""
        lines[0] = "".join(self._kept)
        self._kept = [] if final else [lines.pop()]
        changed = [self._change(line) if line else line for line in lines]
        return "\n".join(changed) if final else "\n".join(changed) + "\n"


def _literal_stage(rule: Rule) -> Callable[[], Stage]:
    fold = _fold if rule.ignore_case else str
    find = fold(rule.find)
    return lambda: _Literal(find, rule.replace, fold)


def _regex_stage(rule: Rule) -> Callable[[], Stage]:
    pattern = _pattern(rule)
    expand = _template(rule.replace, pattern)
    return lambda: _Lines(lambda line: pattern.sub(expand, line))


def _fold(text: str) -> str:
    """`text` with its case folded, character by character, so that no place in it moves."""
    folded = text.casefold()
    if len(folded) == len(text):
        return folded
    return "".join(one if len(one := char.casefold()) == 1 else char for char in text)


def _pattern(rule: Rule) -> Any:
    options = re2.Options()
    options.case_sensitive = not rule.ignore_case
    options.log_errors = False
    return re2.compile(rule.find, options)


def _template(template: str, pattern: Any) -> Callable[[Any], str]:
    r"""What makes the replacement of a match. re2's own reads the template as Latin-1. Raises ValueError."""
    parts: list[str | int] = []
    at = 0
    for reference in _REFERENCE.finditer(template):
        number, name, backslash, other = reference.groups()
        if other is not None:
            raise ValueError(f"\\{other} means nothing in a replacement; write \\\\ for a backslash")
        group = _group(number or name, pattern) if not backslash else "\\"
        parts += template[at : reference.start()], group
        at = reference.end()
    parts.append(template[at:])
    return lambda match: "".join(part if isinstance(part, str) else match[part] or "" for part in parts)


def _group(name: str, pattern: Any) -> int:
    number = int(name) if name.isdecimal() else pattern.groupindex.get(name, -1)
    if not 0 <= number <= pattern.groups:
        raise ValueError(f"the regular expression has no group {name}")
    return int(number)


def _words(error: Exception) -> str:
    text = error.args[0]
    return text.decode(errors="replace") if isinstance(text, bytes) else str(text)


def _map_strings(value: Any, change: Callable[[str], str]) -> Any:
    match value:
        case str():
            return change(value)
        case list():
            return [_map_strings(item, change) for item in value]
        case dict():
            return {key: _map_strings(item, change) for key, item in value.items()}
        case _:
            return value
