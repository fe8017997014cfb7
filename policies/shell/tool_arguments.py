"""Which tools run shell commands, and where in their arguments these stand. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from .places import START, Place

SHELL_TOOLS = (
    *("*bash*", "*shell*", "*terminal*", "exec", "exec_command", "execute_command", "run_command"),
    *("run_in_shell", "container.exec", "write_stdin", "*__exec*", "*__run_command*"),
)
"""Patterns of the names of tools that run shell commands."""
SHELL_ARGUMENTS = ("command", "commands", "cmd", "cmds", "script", "argv", "input", "chars", "code")
"""Names of the arguments that carry them."""
_DIRECTORY = re.compile(r"(?:cwd|work_?dir|(?:current_?)?working_?dir(?:ectory)?|directory|dir)\Z", re.IGNORECASE)


def scripts(arguments: Mapping[str, Any], keys: frozenset[str]) -> list[str]:
    """The shell scripts under `keys` at any depth; where there are none, every text, because one of them is run.

    A list of texts is one command's words, unless its key is a plural: then it is a script each.
    """
    return list(_under(arguments, keys)) or list(_texts(arguments))


def place_of(arguments: Mapping[str, Any]) -> Place:
    """Where the scripts are started, as far as the call says."""
    named = [value for key, value in arguments.items() if _DIRECTORY.match(key) and isinstance(value, str) and value]
    return START.moved(named[0], certainly=True) if named else START


def _under(value: Any, keys: frozenset[str]) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _commands(key, inner, keys) if key.lower() in keys else _under(inner, keys)
    elif isinstance(value, list):
        for item in value:
            yield from _under(item, keys)


def _commands(key: str, value: Any, keys: frozenset[str]) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list) and all(isinstance(item, str) for item in value):
        yield from value if key.lower().endswith("s") else [shlex.join(value)]
    else:
        yield from _under(value, keys) if isinstance(value, dict) else _texts(value)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
