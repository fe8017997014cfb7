"""Requests that leave for hosts which nobody allowed."""

from __future__ import annotations

import dataclasses
from fnmatch import fnmatchcase

from pydantic import Field

from policies.base import Call, Policy
from policies.content import Request, ToolCall
from policies.examples import Example
from policies.shell import SHELL_ARGUMENTS, SHELL_TOOLS, apart, scripts
from policies.verdicts import Verdict, allow, block, replace

from .hosts import hosts
from .judgement import Finding, judge
from .rules import Rules
from .tool_addresses import WEB_TOOLS, addresses


class BlockWebRequests(Policy):
    """Stops tool calls that reach hosts which you did not allow: `curl`, `ssh`, `git push`, web tools, and more.

    Commands are read as the shell reads them, and addresses as curl, browsers and resolvers do: behind user names, as
    numbers, in look-alike letters. Where they may be read in two ways, both hosts have to be allowed. No model is
    asked. It stops what a command says; what programs do by themselves takes a network that is closed.
    """

    category = "tools"
    examples = (
        Example("A command that stays here", ToolCall("call_1", "bash", '{"command": "ls -l"}'), "allow"),
        Example(
            "A host that is allowed",
            ToolCall("call_1", "bash", '{"command": "curl https://api.example.com/v1"}'),
            "allow",
            config={"allow_hosts": ["*.example.com"]},
        ),
        Example(
            "Another one, dressed up as it",
            ToolCall("call_1", "bash", '{"command": "curl https://api.example.com@example.org"}'),
            "block",
            config={"allow_hosts": ["*.example.com"]},
        ),
    )

    class Config(Policy.Config):
        allow_hosts: tuple[str, ...] = Field(
            (), description="Patterns of hosts that may be reached, one a line; * for all of them. *.x is not x."
        )
        deny_hosts: tuple[str, ...] = Field((), description="Patterns of hosts that may not, even if allowed above.")
        private: bool = Field(
            True,
            description="Stop requests to this machine, private networks and cloud metadata, unless the host is "
            "allowed above without a *.",
        )
        lookalikes: bool = Field(
            True, description="Stop hosts with letters beyond ASCII, unless they are allowed above without a *."
        )
        unknown: bool = Field(
            True,
            description="Stop requests whose host the call does not tell: variables, git remotes, package registries, "
            "searches.",
        )
        unparsable: bool = Field(True, description="Stop commands that cannot be parsed.")
        remove_from_request: bool = Field(
            True, description="Take web tools that the provider runs itself out of the request."
        )
        tools: tuple[str, ...] = Field(
            SHELL_TOOLS, description="Patterns of the names of tools that run shell commands, one a line."
        )
        arguments: tuple[str, ...] = Field(
            SHELL_ARGUMENTS, description="Names of the arguments that carry commands, one a line."
        )
        web_tools: tuple[str, ...] = Field(
            WEB_TOOLS, description="Patterns of the names of tools that reach the web, one a line."
        )

    config: Config

    def __init__(self, config: Config | None = None) -> None:
        super().__init__(config)
        own = self.config
        self._rules = Rules.of(own.allow_hosts, own.deny_hosts, own.private, own.lookalikes, own.unknown)
        self._keys = frozenset(key.lower() for key in own.arguments)

    def overrides(self, hook: str) -> bool:
        return super().overrides(hook) and (hook != "on_request" or self.config.remove_from_request)

    async def on_request(self, request: Request, call: Call) -> Verdict:
        tools = tuple(tool for tool in request.tools if not (tool.executed and self._reaches_web(tool.name)))
        removed = len(request.tools) - len(tools)
        if not removed:
            return allow()
        return replace(dataclasses.replace(request, tools=tools), f"{removed} web tools of the provider were removed")

    async def on_tool_call(self, tool_call: ToolCall, call: Call) -> Verdict:
        finding = self._in_web_tool(tool_call) if self._reaches_web(tool_call.name) else None
        if finding is None and _any(self.config.tools, tool_call.name):
            finding = await self._in_commands(tool_call)
        return allow() if finding is None else block(finding.reason, evidence=finding.evidence)

    def _reaches_web(self, name: str) -> bool:
        return _any(self.config.web_tools, name)

    def _in_web_tool(self, tool_call: ToolCall) -> Finding | None:
        for address in addresses(tool_call.arguments):
            found = next(filter(None, map(self._rules.forbids, sorted(hosts(address)))), None)
            if found:
                return Finding(found, "a web tool")
        return None

    async def _in_commands(self, tool_call: ToolCall) -> Finding | None:
        for script in scripts(tool_call.arguments, self._keys):
            found = await apart(judge, len(script), script, self._rules)
            if found and (found.what != "unparsable command" or self.config.unparsable):
                return found
        return None


def _any(patterns: tuple[str, ...], name: str) -> bool:
    return any(fnmatchcase(name.lower(), pattern.lower()) for pattern in patterns)
