"""uv in the place of pip and virtualenv."""

from __future__ import annotations

from fnmatch import fnmatchcase

from pydantic import Field

from policies.base import Call, Policy
from policies.content import Text, ToolCall
from policies.examples import Example
from policies.shell import SHELL_ARGUMENTS, SHELL_TOOLS
from policies.verdicts import Verdict, allow, replace

from .arguments import with_scripts
from .rewriting import rewritten
from .text import Markdown


class PreferUv(Policy):
    """Turns pip, virtualenv and `python -m venv` into uv: in shell commands before they are run, and in answers.

    Commands are parsed, and only the words that change are changed. A command stays as it is where uv has no such
    subcommand or option, and where pip is called by a path. In answers, code spans and shell code blocks are rewritten.
    """

    category = "plain"
    examples = (
        Example(
            "An install",
            ToolCall("call_1", "bash", '{"command":"cd app && pip install -r requirements.txt"}'),
            "replace",
            '{"command":"cd app && uv pip install -r requirements.txt"}',
        ),
        Example("An answer", Text("Run `python3 -m venv .venv` first."), "replace", "Run `uv venv .venv` first."),
        Example("Words about pip", Text("pip install is a command of pip."), "allow"),
    )

    class Config(Policy.Config):
        commands: bool = Field(True, description="Rewrite the commands of shell tools.")
        text: bool = Field(True, description="Rewrite code spans and shell code blocks of answers.")
        system: bool = Field(
            False, description="Add --system, so that uv also works where no virtual environment is active."
        )
        tools: tuple[str, ...] = Field(
            SHELL_TOOLS, description="Patterns of the names of tools that run shell commands, one a line."
        )
        arguments: tuple[str, ...] = Field(
            SHELL_ARGUMENTS, description="Names of the arguments that carry commands, one a line."
        )

    config: Config

    def __init__(self, config: Config | None = None) -> None:
        super().__init__(config)
        self._tools = tuple(pattern.lower() for pattern in self.config.tools)
        self._keys = frozenset(key.lower() for key in self.config.arguments)

    def overrides(self, hook: str) -> bool:
        idle = {"on_tool_call": not self.config.commands, "on_text_delta": not self.config.text}
        return super().overrides(hook) and not idle.get(hook, False)

    async def on_tool_call(self, tool_call: ToolCall, call: Call) -> Verdict:
        if not any(fnmatchcase(tool_call.name.lower(), pattern) for pattern in self._tools):
            return allow()
        arguments = tool_call.arguments
        changed = with_scripts(arguments, self._keys, self._rewrite)
        return allow() if changed == arguments else replace(tool_call.with_arguments(changed), "pip became uv")

    def on_text_delta(self, text: str, call: Call, final: bool) -> tuple[str, int]:
        markdown: Markdown = call.state.get("markdown") or Markdown(self._rewrite)
        call.state["markdown"] = None if final else markdown
        return markdown.feed(text, final), 0

    def _rewrite(self, script: str) -> str:
        return rewritten(script, self.config.system)
