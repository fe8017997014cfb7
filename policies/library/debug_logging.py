"""Notes about what passes."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from policies.base import Call, Policy
from policies.content import Request, Response, Text, Thinking, ToolCall
from policies.events import Event
from policies.examples import Example
from policies.verdicts import Verdict, allow

Hook = Literal[
    "on_request",
    "on_event",
    "on_text_delta",
    "on_text",
    "on_thinking",
    "on_tool_call_delta",
    "on_tool_call",
    "on_answer",
    "on_finish",
    "on_end",
]


class DebugLogging(Policy):
    """Puts a note on the call's record for every step it goes through: names, sizes and times, never content.

    It changes nothing. Whatever is looked at whole (texts, thinking, tool calls, answers) is held back until it is
    complete, so choose only what you need; in shadow mode nothing is held.
    """

    category = "plain"
    examples = (Example("An answer passes, and leaves its notes", Text("Hello."), "allow"),)

    class Config(Policy.Config):
        hooks: tuple[Hook, ...] = Field(
            ("on_request", "on_finish", "on_end"), description="The steps that leave a note, one a line."
        )

    config: Config

    def overrides(self, hook: str) -> bool:
        return super().overrides(hook) and hook in self.config.hooks

    async def on_request(self, request: Request, call: Call) -> Verdict:
        size = sum(map(len, request.texts()))
        call.note(
            "on_request",
            f"{request.model}: {len(request.messages)} messages, {size} characters, {len(request.tools)} tools",
        )
        return allow()

    def on_event(self, event: Event, call: Call) -> Event:
        call.note("on_event", type(event).__name__)
        return event

    def on_text_delta(self, text: str, call: Call, final: bool) -> tuple[str, int]:
        call.note("on_text_delta", f"{len(text)} characters{', final' if final else ''}")
        return text, 0

    async def on_text(self, text: Text, call: Call) -> Verdict:
        call.note("on_text", f"{len(text.text)} characters")
        return allow()

    async def on_thinking(self, thinking: Thinking, call: Call) -> Verdict:
        call.note("on_thinking", f"{len(thinking.text)} characters")
        return allow()

    def on_tool_call_delta(self, fragment: str, call: Call) -> None:
        call.note("on_tool_call_delta", f"{len(fragment)} characters")

    async def on_tool_call(self, tool_call: ToolCall, call: Call) -> Verdict:
        call.note("on_tool_call", f"{tool_call.name}: {len(tool_call.arguments_text)} characters")
        return allow()

    async def on_answer(self, response: Response, call: Call) -> Verdict:
        call.note("on_answer", f"{response.stop_reason}: {', '.join(block.kind for block in response.blocks)}")
        return allow()

    def on_finish(self, reason: str, call: Call) -> None:
        call.note("on_finish", reason)

    async def on_end(self, call: Call, outcome: str) -> None:
        call.note("on_end", outcome)
