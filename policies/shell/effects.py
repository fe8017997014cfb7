"""What reading a script tells: the programs that it may run, where it writes, and what is odd about it. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from .places import START, Place
from .words import UNKNOWN


@dataclass(frozen=True, slots=True)
class Program:
    """A program that may be run, with its arguments as the shell would hand them over.

    `name` is in small letters and without its directory. It may be a pattern, as in `/bin/r?`; UNKNOWN is a name that
    only running the script would tell. Pieces of words that nobody knows are UNKNOWN, downloaded ones FETCHED.
    """

    name: str
    args: tuple[str, ...] = ()
    stdin: str = ""
    place: Place = START

    def named(self, names: Collection[str]) -> list[str]:
        """Which of `names` it may be, none of them where its name is unknown."""
        if is_pattern(self.name):
            return [name for name in sorted(names) if fnmatchcase(name, self.name)]
        return [self.name] if self.name in names else []

    @property
    def unknown(self) -> bool:
        return self.name == UNKNOWN


@dataclass(frozen=True, slots=True)
class Redirect:
    """`> path` and its like; `operator` is `>`, `>>`, `&>`, `<`, `<>`, ..."""

    operator: str
    path: str
    place: Place = START

    @property
    def writes(self) -> bool:
        return ">" in self.operator


@dataclass(frozen=True, slots=True)
class Assignment:
    """A variable that is set."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Code:
    """A program in another language, which `interpreter` runs."""

    interpreter: str
    text: str
    place: Place = START


@dataclass(frozen=True, slots=True)
class Oddity:
    """`unparsable`: it cannot be read, or is too much to be read; `fetched`: text that was downloaded or decoded is
    run; `multiplies`: it starts itself without end.
    """

    kind: Literal["unparsable", "fetched", "multiplies"]
    program: str = "the shell"


Effect = Program | Redirect | Assignment | Code | Oddity


def is_pattern(name: str) -> bool:
    return name not in ("[", "[[") and any(mark in name for mark in "*?[")
