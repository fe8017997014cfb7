"""Answers in capitals."""

from __future__ import annotations

from pydantic import Field

from policies.base import Call, Policy
from policies.content import Request, Text
from policies.examples import Example
from policies.verdicts import Verdict, allow, replace


class Uppercase(Policy):
    """Turns the text of every answer into capital letters. It shows at a glance that policies are at work."""

    category = "plain"
    examples = (Example("An answer in capitals", Text("Hello."), "replace", "HELLO."),)

    class Config(Policy.Config):
        requests: bool = Field(False, description="Also turn what users write into capital letters.")

    config: Config

    def overrides(self, hook: str) -> bool:
        return super().overrides(hook) and (hook != "on_request" or self.config.requests)

    async def on_request(self, request: Request, call: Call) -> Verdict:
        changed = request.map_text(str.upper)
        return allow() if changed is request else replace(changed, "user text in capitals")

    def on_text_delta(self, text: str, call: Call, final: bool) -> tuple[str, int]:
        return text.upper(), 0
