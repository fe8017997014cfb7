"""What a script has defined where a command stands. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from tree_sitter import Node

from .places import START, Place
from .words import BREAK, UNKNOWN

_AT_START = {"HOME": ["~"], "IFS": [" "], "SHELL": ["bash"], "BASH": ["bash"]}


@dataclass(slots=True)
class Shell:
    """What one shell process has of its own, however its functions are nested."""

    place: Place = START


@dataclass(slots=True)
class Scope:
    """Variables hold a list, of one value unless they are arrays. `arguments` None: those of an unknown caller.

    `files` are those that the script itself wrote, as far as known; a subshell's are there for all.
    """

    variables: dict[str, list[str]] = field(default_factory=lambda: dict(_AT_START))
    functions: dict[str, Node] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    active: frozenset[str] = frozenset()
    arguments: list[str] | None = field(default_factory=list)
    conditional: bool = False
    shell: Shell = field(default_factory=Shell)

    def nested(self) -> Scope:
        """A subshell's: what it defines does not come back, but for the files it wrote."""
        return replace(
            self,
            variables=dict(self.variables),
            functions=dict(self.functions),
            aliases=dict(self.aliases),
            shell=Shell(self.shell.place),
        )

    def one_command(self) -> Scope:
        """Where one command has variables of its own; what else it changes stays."""
        return replace(self, variables=dict(self.variables))

    def assign(self, name: str, values: list[str]) -> None:
        """Set a variable; where the assignment may not happen, it is then one or the other."""
        before = self.variables.get(name)
        if self.conditional and before is not None and before != values:
            values = [UNKNOWN]
        self.variables[name] = values

    def value(self, name: str) -> str:
        """What `$name` stands for."""
        if name in ("@", "*"):
            return UNKNOWN if self.arguments is None else BREAK.join(self.arguments)
        if name.isdecimal() and name != "0":
            return self._argument(int(name))
        if name == "PWD" and name not in self.variables:
            return self._directory()
        values = self.variables.get(name)
        return UNKNOWN if values is None else (values[0] if values else "")

    def _directory(self) -> str:
        directories = self.shell.place.directories
        return directories[0] if len(directories) == 1 else UNKNOWN

    def _argument(self, number: int) -> str:
        if self.arguments is None:
            return UNKNOWN
        return self.arguments[number - 1] if number <= len(self.arguments) else ""

    def element(self, name: str, index: str) -> str:
        """What `${name[index]}` stands for."""
        values = self.variables.get(name)
        if values is None:
            return UNKNOWN
        if index in ("@", "*"):
            return BREAK.join(values)
        return values[int(index)] if index.isdecimal() and int(index) < len(values) else UNKNOWN
