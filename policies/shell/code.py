"""Programs in other languages, as far as they pass text on to a shell. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

_LITERAL = re.compile(
    r"'{3}(.*?)'{3}|\"{3}(.*?)\"{3}|'((?:[^'\\\n]|\\.)*)'|\"((?:[^\"\\\n]|\\.)*)\"|`([^`]*)`", re.DOTALL
)
_CODE_OPTION = re.compile(r"-[a-zA-Z]*[ceErp]\Z|--eval\Z")
_CALLS_SHELL = re.compile(r"system|popen|subprocess|exec|spawn|`|\bsh\b|qx")


def inline(args: list[str], stdin: str) -> Iterator[str]:
    """The code in an interpreter's arguments, or on its standard input if it reads that as code."""
    given = [code for option, code in pairwise(args) if _CODE_OPTION.match(option)]
    yield from given
    if not given and all(arg == "-" or (arg.startswith("-") and not arg.startswith("-m")) for arg in args):
        yield stdin


def literals(text: str) -> list[str]:
    """The string literals of a program, without their quotes."""
    return [next(filter(None, match.groups()), "") for match in _LITERAL.finditer(text)]


def shell_scripts(text: str) -> list[str]:
    """What a program may pass on to a shell: its literals, each and all together."""
    if not _CALLS_SHELL.search(text):
        return []
    found = literals(text)
    return [*found, " ".join(found)]
