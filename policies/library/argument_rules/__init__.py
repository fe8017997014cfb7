"""What may stand in the arguments of tool calls."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase, translate
from functools import partial
from typing import Any, Self

import re2
from pydantic import BaseModel, ConfigDict, Field, model_validator

from policies.base import Call, Policy
from policies.content import ToolCall
from policies.examples import Example
from policies.verdicts import Verdict, allow, block

from .paths import texts, values

LONG = 64 * 1024
"""Characters of arguments from which on they are judged in a thread, so that other calls go on."""
Matches = Callable[[str], object]


class Rule(BaseModel):
    """What must hold for the calls of some tools."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tools: tuple[str, ...] = Field(("*",), description="Patterns of the names of the tools it is for, one a line.")
    path: str = Field(
        "", description="Which argument: path, options.url, items.*.url, ** for any depth; empty for none."
    )
    required: bool = Field(False, description="The argument has to be there.")
    allow: tuple[str, ...] = Field((), description="Patterns of which one has to match the whole value, one a line.")
    deny: tuple[str, ...] = Field((), description="Patterns of which none may match the whole value, one a line.")
    regex: bool = Field(False, description="The patterns are regular expressions (RE2); else * and ? are wildcards.")
    ignore_case: bool = Field(False, description="Do not distinguish capital and small letters.")
    arguments_schema: dict[str, Any] | None = Field(None, description="A JSON Schema that all arguments have to fit.")
    reason: str = Field("", max_length=200, description="What the client is told where a call breaks the rule.")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.path and (self.allow or self.deny or self.required):
            raise ValueError("name the path of the argument that this is about")
        if not self.path and self.arguments_schema is None:
            raise ValueError("a rule needs a path or a schema")
        _Compiled(self)
        return self


class ArgumentRules(Policy):
    """Blocks tool calls whose arguments break your rules: patterns for single arguments, or a JSON Schema for all.

    Each rule is for the tools that its patterns name, and every rule has to hold. Text is compared as it is written:
    no path is resolved and no variable expanded.
    """

    category = "tools"
    examples = (
        Example(
            "A path within the project",
            ToolCall("call_1", "write_file", '{"path": "src/a.py"}'),
            "allow",
            config={"rules": [{"tools": ["write_*"], "path": "path", "allow": ["src/*"], "deny": ["*..*"]}]},
        ),
        Example(
            "A number that is too large",
            ToolCall("call_1", "refund", '{"amount": 5000}'),
            "block",
            config={"rules": [{"tools": ["refund"], "arguments_schema": {"properties": {"amount": {"maximum": 100}}}}]},
        ),
    )

    class Config(Policy.Config):
        rules: tuple[Rule, ...] = Field((), description="The rules; a call is blocked if it breaks one of them.")

    config: Config

    def __init__(self, config: Config | None = None) -> None:
        super().__init__(config)
        self._rules = [_Compiled(rule) for rule in self.config.rules]

    async def on_tool_call(self, tool_call: ToolCall, call: Call) -> Verdict:
        rules = [(number, rule) for number, rule in enumerate(self._rules, 1) if rule.is_for(tool_call.name)]
        if not rules:
            return allow()
        arguments = tool_call.arguments
        for number, rule in rules:
            if len(tool_call.arguments_text) <= LONG:
                reason = rule.objection(arguments)
            else:
                reason = await asyncio.to_thread(rule.objection, arguments)
            if reason:
                return block(reason, evidence={"rule": number})
        return allow()


class _Compiled:
    """A rule at work. Raises ValueError where its patterns or its schema cannot be used."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._allow = [_matcher(pattern, rule) for pattern in rule.allow]
        self._deny = [_matcher(pattern, rule) for pattern in rule.deny]
        self._fits: Callable[[Mapping[str, Any]], bool] | None = None
        if rule.arguments_schema is not None:
            from .schema import Schema  # its library takes a while to import

            self._fits = Schema(rule.arguments_schema).fits

    def is_for(self, tool: str) -> bool:
        return any(fnmatchcase(tool, pattern) for pattern in self._rule.tools)

    def objection(self, arguments: Mapping[str, Any]) -> str:
        """Why the arguments break the rule; empty if they do not."""
        if self._fits is not None and not self._fits(arguments):
            return self._rule.reason or "the arguments do not fit their schema"
        if not self._rule.path:
            return ""
        try:
            found = list(values(arguments, self._rule.path))
            passes = all(self._passes(text) for value in found for text in texts(value))
        except RecursionError:
            passes = False
        if passes and (found or not self._rule.required):
            return ""
        return self._rule.reason or f"the argument {self._rule.path} is not allowed"

    def _passes(self, text: str) -> bool:
        if any(matches(text) for matches in self._deny):
            return False
        return not self._allow or any(matches(text) for matches in self._allow)


def _matcher(pattern: str, rule: Rule) -> Matches:
    if not rule.regex:
        return re.compile(translate(pattern), re.IGNORECASE if rule.ignore_case else 0).match
    options = re2.Options()
    options.case_sensitive = not rule.ignore_case
    options.log_errors = False
    try:
        return partial(_fully, re2.compile(pattern, options))
    except re2.error:
        raise ValueError("a regular expression cannot be used: it is not RE2's") from None


def _fully(pattern: Any, text: str) -> object:
    return pattern.fullmatch(text)
