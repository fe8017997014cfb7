"""What policies on data have in common: they look in chosen places, and block, cut out or flag. Pure."""

from __future__ import annotations

import asyncio
import dataclasses
from collections import Counter
from collections.abc import Callable
from typing import Any, ClassVar, Literal, get_args

from pydantic import Field

from policies.base import Call, Policy
from policies.content import Request, Text, Thinking, ToolCall
from policies.verdicts import Verdict, allow, block, replace

from .json_texts import KeysCollide, map_texts
from .places import Place, RequestPlace, rewritten
from .redaction import Redactor, Stage

LONG = 64 * 1024
"""Characters. Looking through more would keep the event loop busy."""

Found = Counter[str]

_REQUEST = frozenset(get_args(RequestPlace))
_STAGES = "stages"


class DataPolicy(Policy):
    """Subclasses make the redactor, and name what they look for.

    Reasons, notes and evidence hold kinds and counts, and nothing of what was found.
    """

    category = "data"
    noun: ClassVar[str]

    class Config(Policy.Config):
        action: Literal["block", "redact", "flag"] = "redact"
        places: tuple[Place, ...] = Field((), description="Where to look.")

    config: Config

    def __init__(self, config: Config | None = None) -> None:
        super().__init__(config)
        self._redactor = self.redactor()
        self._places: frozenset[str] = frozenset(self.config.places)

    def redactor(self) -> Redactor:
        """What finds and cuts out what this policy is about, as it is configured."""
        raise NotImplementedError

    def overrides(self, hook: str) -> bool:
        streams = self.config.action != "block"
        busy = {
            "on_request": not self._places.isdisjoint(_REQUEST),
            "on_text": "text" in self._places and not streams,
            "on_text_delta": "text" in self._places and streams,
            "on_thinking": "thinking" in self._places,
            "on_tool_call": "tool_arguments" in self._places,
        }
        return busy.get(hook, False)

    async def on_request(self, request: Request, call: Call) -> Verdict:
        return await _aside(self._judge_request, request, sum(map(len, request.texts())))

    async def on_text(self, text: Text, call: Call) -> Verdict:
        return await _aside(self._judge_text, text.text, len(text.text))

    def on_text_delta(self, text: str, call: Call, final: bool) -> tuple[str, int]:
        stages: list[Stage] = call.state.get(_STAGES) or self._redactor.stages()
        released = text
        for stage in stages:
            released = stage.feed(released, final)
        call.state[_STAGES] = None if final else stages
        found = sum((stage.found for stage in stages), Found()) if final else None
        if found:
            call.note(_PAST[self.config.action], said(found), found.total())
        return (released if self.config.action == "redact" else text), 0

    async def on_thinking(self, thinking: Thinking, call: Call) -> Verdict:
        return await _aside(self._judge_text, thinking.text, len(thinking.text))

    async def on_tool_call(self, tool_call: ToolCall, call: Call) -> Verdict:
        return await _aside(self._judge_tool_call, tool_call, len(tool_call.arguments_text))

    def _judge_request(self, request: Request) -> Verdict:
        found = Found()

        def change(text: str) -> str:
            redacted, finds = self._redactor.redact(text)
            found.update(finds)
            return redacted

        new = rewritten(request, self._places, change)
        return self._verdict(found, new)

    def _judge_text(self, text: str) -> Verdict:
        """On what cannot be rewritten, or is not to be."""
        _, found = self._redactor.redact(text)
        return self._verdict(found, None)

    def _judge_tool_call(self, tool_call: ToolCall) -> Verdict:
        """Raises UnparsableArguments. What has already run at the provider is not rewritten."""
        found = Found()

        def change(text: str, key: str) -> str:
            redacted, finds = self._redactor.redact(text, f"{key}=" if key else "")
            found.update(finds)
            return redacted

        if tool_call.custom:
            arguments_text = change(tool_call.arguments_text, "")
        else:
            _ = tool_call.arguments
            try:
                arguments_text = map_texts(tool_call.arguments_text, change)
            except KeysCollide:
                return block("its arguments cannot be redacted")
        new = dataclasses.replace(tool_call, arguments_text=arguments_text)
        return self._verdict(found, None if tool_call.executed else new)

    def _verdict(self, found: Found, new: Request | ToolCall | None) -> Verdict:
        """`new` is what passes if it is cut out; None where it cannot be, which blocks."""
        if not found:
            return allow()
        reason, evidence = f"{self.noun}: {said(found)}", {"kinds": dict(sorted(found.items()))}
        if self.config.action == "flag":
            return allow(reason, evidence=evidence)
        if self.config.action == "redact" and new is not None:
            return replace(new, reason, evidence=evidence)
        return block(reason, evidence=evidence)


_PAST = {"redact": "redacted", "flag": "flagged"}


def said(found: Found) -> str:
    """Kinds and counts in words."""
    return ", ".join(f"{count} {kind}" for kind, count in sorted(found.items()))


async def _aside(judge: Callable[[Any], Verdict], subject: Any, length: int) -> Verdict:
    """The verdict on `subject`; in a thread, if it is long, so that others go on meanwhile."""
    return await asyncio.to_thread(judge, subject) if length > LONG else judge(subject)
