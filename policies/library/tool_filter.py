"""Which tools a model may use, by name."""

from __future__ import annotations

import dataclasses
from fnmatch import fnmatchcase

from pydantic import Field

from policies.base import Call, Policy
from policies.content import Request, ToolCall
from policies.examples import Example
from policies.verdicts import Verdict, allow, block, replace


class ToolFilter(Policy):
    """Lets a model use only the tools whose names you allow, and none whose names you deny.

    Denied tools are also taken out of the request, so that the model does not try them. That is the only way to keep
    out tools which the provider runs itself, such as its web search: those have run before anybody can judge them.
    """

    category = "tools"
    examples = (
        Example("A tool that is allowed", ToolCall("call_1", "read_file", '{"path": "a.txt"}'), "allow"),
        Example("A tool that is denied", ToolCall("call_1", "web_fetch"), "block", config={"deny": ["web_*"]}),
    )

    class Config(Policy.Config):
        allow: tuple[str, ...] = Field(
            ("*",), description="Patterns of tool names that may be used, one a line. * stands for any characters."
        )
        deny: tuple[str, ...] = Field(
            (), description="Patterns of tool names that may not be used, even if they are allowed above."
        )
        remove_from_request: bool = Field(True, description="Take denied tools out of the request as well.")

    config: Config

    def overrides(self, hook: str) -> bool:
        return super().overrides(hook) and (hook != "on_request" or self.config.remove_from_request)

    async def on_request(self, request: Request, call: Call) -> Verdict:
        tools = tuple(tool for tool in request.tools if self._allows(tool.name))
        removed = len(request.tools) - len(tools)
        if not removed:
            return allow()
        return replace(dataclasses.replace(request, tools=tools), f"{removed} tools that are not allowed were removed")

    async def on_tool_call(self, tool_call: ToolCall, call: Call) -> Verdict:
        return allow() if self._allows(tool_call.name) else block("this tool is not allowed")

    def _allows(self, name: str) -> bool:
        return _any(self.config.allow, name) and not _any(self.config.deny, name)


def _any(patterns: tuple[str, ...], name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
