"""Shell commands that destroy."""

from __future__ import annotations

from fnmatch import fnmatchcase

from pydantic import Field

from policies.base import Call, Policy
from policies.content import ToolCall
from policies.examples import Example
from policies.shell import SHELL_ARGUMENTS, SHELL_TOOLS, apart, scripts
from policies.verdicts import Verdict, allow, block

from .judgement import judge
from .rules import Category, Delete, Settings


class BlockDangerousCommands(Policy):
    """Stops shell commands that would do great harm: recursive deletes, overwritten disks, fork bombs, and more.

    Commands are parsed as the shell parses them, through quoting, variables, pipes, `bash -c`, `sudo` and `xargs`. No
    model is asked. A command that cannot be parsed is stopped as well. Of files only those are known that the same
    command wrote. It stops accidents and plain attempts; against a model that hides what it does, use a sandbox.
    """

    category = "tools"
    examples = (
        Example("A command that only looks", ToolCall("call_1", "bash", '{"command": "ls -l"}'), "allow"),
        Example("A delete of everything", ToolCall("call_1", "bash", '{"command": "sudo rm -rf /"}'), "block"),
    )

    class Config(Policy.Config):
        delete: Delete = Field(
            "any",
            description="Recursive deletes: any forced one; only those that reach outside of the project; or off. "
            "Recursive deletes of the root, a home or the whole project are stopped in both.",
        )
        disk: bool = Field(True, description="Stop what formats or overwrites disks.")
        fork_bombs: bool = Field(True, description="Stop what starts itself without end.")
        permissions: bool = Field(True, description="Stop opening whole trees to everybody, or taking over the system.")
        downloads: bool = Field(True, description="Stop running text that was just downloaded or decoded.")
        git_history: bool = Field(False, description="Stop git commands that lose commits or uncommitted work.")
        system: bool = Field(True, description="Stop shutting down, killing everything, and dropping the firewall.")
        unparsable: bool = Field(True, description="Stop commands that cannot be parsed.")
        tools: tuple[str, ...] = Field(
            SHELL_TOOLS,
            description="Patterns of the names of tools that run shell commands, one a line; capitals do not matter.",
        )
        arguments: tuple[str, ...] = Field(
            SHELL_ARGUMENTS,
            description="Names of the arguments that carry commands, one a line. Where a tool call has none of them, "
            "all its texts are judged.",
        )

    config: Config

    def __init__(self, config: Config | None = None) -> None:
        super().__init__(config)
        self._settings = _settings(self.config)
        self._tools = tuple(pattern.lower() for pattern in self.config.tools)
        self._keys = frozenset(key.lower() for key in self.config.arguments)

    async def on_tool_call(self, tool_call: ToolCall, call: Call) -> Verdict:
        name = tool_call.name.lower()
        if not any(fnmatchcase(name, pattern) for pattern in self._tools):
            return allow()
        for script in scripts(tool_call.arguments, self._keys):
            finding = await apart(judge, len(script), script, self._settings)
            if finding:
                category, program = finding
                return block(f"{category} ({program})", evidence={"category": category, "program": program})
        return allow()


def _settings(config: BlockDangerousCommands.Config) -> Settings:
    switches: dict[Category, bool] = {
        "recursive delete": config.delete != "off",
        "disk": config.disk,
        "fork bomb": config.fork_bombs,
        "permissions": config.permissions,
        "running downloaded or decoded text": config.downloads,
        "git history": config.git_history,
        "system": config.system,
        "unparsable command": config.unparsable,
    }
    return Settings(config.delete, frozenset(category for category, on in switches.items() if on))
