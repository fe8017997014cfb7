"""Writes into files that matter beyond the task."""

from __future__ import annotations

from fnmatch import fnmatchcase

from pydantic import Field

from policies.base import Call, Policy
from policies.content import ToolCall
from policies.examples import Example
from policies.shell import SHELL_ARGUMENTS, SHELL_TOOLS, START, apart, place_of, scripts
from policies.verdicts import Verdict, allow, block

from .defaults import ALLOWED, EDIT_TOOLS, PATH_ARGUMENTS, PROTECTED
from .editing import edited, looks
from .judgement import Finding, Search, judge
from .protection import Protection
from .written import Target


class BlockSensitiveWrites(Policy):
    """Stops tool calls that write into sensitive files: keys, shell start-up files, git hooks, CI, system settings.

    It reads shell commands as the shell does, and the paths of tools that edit files, also those in patches. Paths are
    followed through `..`, `~`, variables, `cd`, and links that the same command makes. Reading a file is not its
    business. No model is asked.
    """

    category = "tools"
    examples = (
        Example("A file of the project", ToolCall("call_1", "bash", '{"command": "echo hi > src/a.txt"}'), "allow"),
        Example(
            "A key, by a way round",
            ToolCall("call_1", "bash", '{"command": "cd ~/.config && tee -a ../.ssh/authorized_keys"}'),
            "block",
        ),
        Example("A git hook", ToolCall("call_1", "Write", '{"file_path": "/work/.git/hooks/pre-commit"}'), "block"),
    )

    class Config(Policy.Config):
        paths: tuple[str, ...] = Field(
            PROTECTED,
            description="Patterns of paths that nothing may write, one a line. One that begins with / or ~ means that "
            "place, others mean any folder. * is any name, ** any number of folders. Capitals do not matter.",
        )
        allow: tuple[str, ...] = Field(ALLOWED, description="Patterns of paths that may be written all the same.")
        unknown: bool = Field(
            False, description="Also stop writes to paths that only running the command would tell, as in > $FILE."
        )
        unparsable: bool = Field(True, description="Stop commands that cannot be parsed.")
        tools: tuple[str, ...] = Field(
            SHELL_TOOLS, description="Patterns of the names of tools that run shell commands, one a line."
        )
        arguments: tuple[str, ...] = Field(
            SHELL_ARGUMENTS, description="Names of the arguments that carry commands, one a line."
        )
        edit_tools: tuple[str, ...] = Field(
            EDIT_TOOLS, description="Patterns of the names of tools that change files, one a line."
        )
        path_arguments: tuple[str, ...] = Field(
            PATH_ARGUMENTS, description="Names of the arguments that carry their paths; _ and capitals do not matter."
        )

    config: Config

    def __init__(self, config: Config | None = None) -> None:
        super().__init__(config)
        self._protection = Protection.of(self.config.paths, self.config.allow, self.config.unknown)
        self._keys = frozenset(key.lower() for key in self.config.arguments)

    async def on_tool_call(self, tool_call: ToolCall, call: Call) -> Verdict:
        name = tool_call.name.lower()
        finding = self._in_edit(tool_call) if _any(self.config.edit_tools, name) else None
        if finding is None and _any(self.config.tools, name):
            finding = await self._in_commands(tool_call)
        return allow() if finding is None else block(finding.reason, evidence=finding.evidence)

    def _in_edit(self, tool_call: ToolCall) -> Finding | None:
        arguments = tool_call.arguments
        if looks(tool_call.name.lower(), arguments):
            return None
        search = Search(self._protection)
        paths = edited(arguments, self.config.path_arguments)
        return next(filter(None, (search.finds("an edit", START, Target(path)) for path in paths)), None)

    async def _in_commands(self, tool_call: ToolCall) -> Finding | None:
        arguments = tool_call.arguments
        start = place_of(arguments)
        for script in scripts(arguments, self._keys):
            found = await apart(judge, len(script), script, start, self._protection)
            if found and (found.path != "unparsable" or self.config.unparsable):
                return found
        return None


def _any(patterns: tuple[str, ...], name: str) -> bool:
    return any(fnmatchcase(name, pattern.lower()) for pattern in patterns)
