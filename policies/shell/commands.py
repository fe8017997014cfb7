"""What becomes of a command: what it passes on to other programs and shells. Pure."""

from __future__ import annotations

import re
import shlex
from contextlib import AbstractContextManager
from typing import Protocol

from . import code, programs
from .effects import Code, Effect, Oddity, Program
from .scope import Scope
from .words import FETCHED, FILE, UNKNOWN, stripped

PLACE_COST = 500
"""What reading one path costs, in characters of the budget."""


class Reader(Protocol):
    """The script that the command stands in."""

    scope: Scope

    def run(self, script: str, stdin: str = "") -> str: ...

    def tell(self, effect: Effect) -> None: ...

    def spend(self, characters: int) -> None: ...

    def guessing(self) -> AbstractContextManager[None]: ...

    def call(self, name: str, arguments: list[str], stdin: str) -> str: ...

    def within(self, scope: Scope) -> AbstractContextManager[None]: ...


class Commands:
    def __init__(self, script: Reader) -> None:
        self._script = script

    def run(self, words: list[str], stdin: str) -> str:
        """Look at one command and return what it prints."""
        name, *args = words
        scope = self._script.scope
        if FETCHED in name and not stripped(name):
            self._script.tell(Oddity("fetched"))
        called = programs.name(name)
        if called:
            self._script.tell(Program(called, tuple(args), stdin, scope.shell.place))
        # What a name stands for here it does not stand for behind `command` or `env`, so both readings count.
        printed = UNKNOWN
        for program in programs.readings(called):
            printed = self._program(program, args, stdin)
        own = _plain(name)
        if own in scope.files:
            printed = self._nested(scope.files[own], stdin, args)
        if own in scope.aliases and own not in scope.active:
            printed = self._alias(own, args, stdin)
        return self._script.call(name, args, stdin) if name in scope.functions else printed

    def contents(self, path: str) -> str:
        """What is in a file, as far as known."""
        if path.startswith(FILE):
            return path[1:]
        return self._script.scope.files.get(_plain(path), UNKNOWN)

    def write(self, path: str, text: str, append: bool = False) -> None:
        """Remember what the script writes into a file."""
        files = self._script.scope.files
        files[_plain(path)] = files.get(_plain(path), "") + text if append else text

    def _alias(self, name: str, args: list[str], stdin: str) -> str:
        scope = self._script.scope.nested()
        scope.active |= {name}
        with self._script.within(scope):
            return self._script.run(f"{scope.aliases[name]} {shlex.join(args)}", stdin)

    def _program(self, name: str, args: list[str], stdin: str) -> str:
        for file in programs.saved_files(name, args):
            self.write(file, FETCHED)
        if name in programs.SHELLS:
            return self._shell(args, stdin)
        if programs.interpreter(name):
            return self._interpreter(name, args, stdin)
        reader = getattr(self, f"_{_READERS[name]}", None) if name in _READERS else None
        if reader is not None:
            return str(reader(args, stdin))
        if name in programs.OPERANDS:
            return self._wrapper(name, args, stdin)
        return programs.output(name, args, stdin)

    def _wrapper(self, name: str, args: list[str], stdin: str) -> str:
        printed = programs.output(name, args, stdin)
        for script in programs.inner_scripts(args):
            self._nested(script, stdin)
        with self._script.within(self._started(name, args)):
            for command in programs.inner_commands(name, args):
                if name == "xargs":
                    command += [word for word in stdin.split() if word != FETCHED]
                joined = name in programs.JOINED
                printed = self._nested(" ".join(command), stdin) if joined else self.run(command, stdin)
        return printed

    def _started(self, name: str, args: list[str]) -> Scope:
        """Where a wrapper runs its command: `env -C directory`."""
        scope, directories = self._script.scope, programs.started_in(name, args)
        if directories:
            scope = scope.nested()
            scope.shell.place = scope.shell.place.moved(directories[-1], certainly=True)
        return scope

    def _shell(self, args: list[str], stdin: str) -> str:
        commands = from_stdin = False
        rest = list(args)
        while rest and rest[0].startswith(("-", "+")) and rest[0] not in ("-", "--"):
            option = rest.pop(0)
            if option in ("--rcfile", "--init-file") or option[1:] in ("o", "O"):
                rest[:1] = []
            elif not option.startswith("--"):
                # An option that nobody knows may be -c.
                commands |= "c" in option or UNKNOWN in option
                from_stdin |= "s" in option
        rest = [word for word in rest if word not in ("-", "--")]
        if commands:
            return self._nested(rest[0], stdin, rest[2:]) if rest else UNKNOWN
        if rest and not from_stdin:
            return self._nested(self.contents(rest[0]), stdin, rest[1:])
        return self._nested(stdin, "", rest)

    def _nested(self, script: str, stdin: str, arguments: list[str] | None = None) -> str:
        """A script in a shell of its own. A script of which nothing is known is as good as any program."""
        if script == UNKNOWN:
            return UNKNOWN
        scope = self._script.scope.nested()
        scope.arguments = arguments or []
        with self._script.within(scope):
            return self._script.run(script, stdin)

    def _eval(self, args: list[str], stdin: str) -> str:
        return self._script.run(" ".join(args[1:] if args[:1] == ["--"] else args), stdin)

    def _set(self, args: list[str], stdin: str) -> str:
        if "--" in args:
            self._script.scope.arguments = args[args.index("--") + 1 :]
        return ""

    def _cd(self, args: list[str], stdin: str) -> str:
        scope = self._script.scope
        operands = [arg for arg in args if arg == "-" or not arg.startswith(("-", "+"))]
        place = scope.shell.place
        self._script.spend(PLACE_COST * place.effort)
        scope.shell.place = place.moved(operands[-1] if operands else "", not scope.conditional)
        return ""

    def _popd(self, args: list[str], stdin: str) -> str:
        return self._cd(["-"], stdin)

    def _link(self, args: list[str], stdin: str) -> str:
        shell = self._script.scope.shell
        for link, target in programs.links(args):
            self._script.spend(PLACE_COST * shell.place.effort)
            shell.place = shell.place.linked(link, target)
        return self._copy(args, stdin)

    def _copy(self, args: list[str], stdin: str) -> str:
        """A program or a script under another name."""
        paths = [arg for arg in args if not arg.startswith("-")]
        if len(paths) == 2:
            source, copy = paths
            self._script.scope.aliases[_plain(copy)] = shlex.quote(stripped(source))
        return ""

    def _source(self, args: list[str], stdin: str) -> str:
        text = self.contents(args[0]) if args else UNKNOWN
        if args and args[0] == "/dev/stdin":
            text = stdin
        return UNKNOWN if text == UNKNOWN else self._script.run(text)

    def _trap(self, args: list[str], stdin: str) -> str:
        return self._nested(args[0], "") if args and not args[0].startswith("-") else ""

    def _define_alias(self, args: list[str], stdin: str) -> str:
        for arg in args:
            name, given, value = arg.partition("=")
            if given:
                self._nested(value, "")
                self._script.scope.aliases[name] = value
        return ""

    def _read(self, args: list[str], stdin: str) -> str:
        """`read`, `mapfile` and `printf -v` set the variables they name."""
        names = [arg for arg in args if arg.isidentifier()]
        for name in names:
            self._script.scope.variables[name] = [stdin.strip() if len(names) == 1 and stdin else UNKNOWN]
        return ""

    def _printf(self, args: list[str], stdin: str) -> str:
        if args[:1] == ["-v"]:
            return self._read(args[1:2], self._printf(args[2:], stdin))
        self._script.spend(len(args[0]) * len(args) if args else 0)
        return programs.output("printf", args, stdin)

    def _find(self, args: list[str], stdin: str) -> str:
        for command in programs.executed_by_find(args):
            if command:
                self.run(command, UNKNOWN)
        return UNKNOWN

    def _git(self, args: list[str], stdin: str) -> str:
        for arg in args:
            alias = re.match(r"alias\.[\w-]+=!(.*)", arg, re.DOTALL)
            if alias:
                self._nested(alias[1], stdin)
        return UNKNOWN

    def _command(self, args: list[str], stdin: str) -> str:
        if args[:1] in (["-v"], ["-V"]):
            return args[-1]
        return self._wrapper("command", args, stdin)

    def _cat(self, args: list[str], stdin: str) -> str:
        self._script.spend(len(stdin) * len(args))
        return programs.output("cat", args, stdin)

    def _interpreter(self, name: str, args: list[str], stdin: str) -> str:
        for text in code.inline(args, stdin):
            self._code(name, text)
        file = next((arg for arg in args if not arg.startswith("-")), "")
        self._code(name, self.contents(file))
        return UNKNOWN

    def _code(self, interpreter: str, text: str) -> None:
        """A program in another language: what it says literally, where it may pass that on to a shell."""
        if FETCHED in text:
            self._script.tell(Oddity("fetched"))
        if text == UNKNOWN:
            return
        self._script.tell(Code(interpreter, text, self._script.scope.shell.place))
        with self._script.guessing():
            for script in code.shell_scripts(text):
                self._nested(script, "")


_READERS = {
    "eval": "eval",
    "source": "source",
    ".": "source",
    "trap": "trap",
    "alias": "define_alias",
    "read": "read",
    "mapfile": "read",
    "readarray": "read",
    "printf": "printf",
    "find": "find",
    "git": "git",
    "command": "command",
    "set": "set",
    "cp": "copy",
    "ln": "link",
    "cd": "cd",
    "pushd": "cd",
    "popd": "popd",
    "cat": "cat",
    "mv": "copy",
    "hash": "copy",
}


def _plain(path: str) -> str:
    return path.removeprefix("./")
