"""Reads a shell script as the shell would, without running it, and shows every command to `Commands`.

Every branch counts as taken and every function as called. What only running it would tell is UNKNOWN. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from tree_sitter import Node

from .commands import Commands
from .effects import Assignment, Effect, Oddity, Redirect
from .grammar import parse
from .limits import Budget
from .multiplying import multiplies
from .places import Place
from .redirects import behind, operator_of, redirects_of
from .scope import Scope, Shell
from .texts import Texts, source
from .words import FETCHED, MARKERS, UNKNOWN

_CONTINUED = re.compile(r"(?<=[^\s\\])\\\n(?=\S)")
_CONDITIONAL = ("if_statement", "while_statement", "case_statement", "c_style_for_statement")
_WORDS = (
    "word",
    "string",
    "raw_string",
    "ansi_c_string",
    "translated_string",
    "concatenation",
    "simple_expansion",
    "expansion",
    "arithmetic_expansion",
    "number",
)
MAX_LOOP = 16


class Script:
    """`run` reads a script; the rest is how the parts of the grammar are read.

    Each reader gets a node and what it is fed on standard input, and returns what it prints, as far as known.
    """

    def __init__(self, start: Place) -> None:
        self.scope = Scope(shell=Shell(start))
        self.effects: list[Effect] = []
        self._guessing = False
        self._budget = Budget()
        self.spend = self._budget.spend
        self._texts = Texts(self)
        self._commands = Commands(self)
        self._readers: dict[str, Callable[[Node, str], str]] = {
            "command": self._command,
            "declaration_command": self._declaration,
            "variable_assignment": self._assignment,
            "pipeline": self._pipeline,
            "list": self._list,
            "redirected_statement": self._redirected,
            "subshell": self._subshell,
            "command_substitution": self._subshell,
            "process_substitution": self._subshell,
            "function_definition": self._function,
            "for_statement": self._for,
            "comment": lambda node, stdin: "",
            **dict.fromkeys(_CONDITIONAL, self._conditional),
            **dict.fromkeys(_WORDS, self._word),
        }

    def run(self, script: str, stdin: str = "") -> str:
        """Read `script` in the current scope, and return what it prints. Raises TooMuch."""
        self.spend(len(script))
        if FETCHED in script:
            self.tell(Oddity("fetched"))
        script = script.replace(UNKNOWN, "${__unknown}").translate(dict.fromkeys(map(ord, MARKERS), " "))
        printed = self._parsed(script, stdin, strict=True)
        # The shell joins a name that is continued on the next line, and the grammar does not. But in a comment the
        # shell does not either, so both readings count.
        joined = _CONTINUED.sub("", script)
        return printed if joined == script else self._parsed(joined, stdin, strict=False)

    def _parsed(self, script: str, stdin: str, strict: bool) -> str:
        root = parse(script)
        if root.has_error and strict:
            self.tell(Oddity("unparsable"))
        return self._children(root, stdin)

    def tell(self, effect: Effect) -> None:
        if not (self._guessing and effect == Oddity("unparsable")):
            self.effects.append(effect)

    @contextmanager
    def guessing(self) -> Iterator[None]:
        """Read what may be a script, or may not: that it cannot be parsed then says nothing."""
        before, self._guessing = self._guessing, True
        try:
            yield
        finally:
            self._guessing = before

    def call(self, name: str, arguments: list[str], stdin: str) -> str:
        """Read a function's body as called with `arguments`."""
        if name in self.scope.active:
            return UNKNOWN
        with self.within(replace(self.scope, arguments=arguments, active=self.scope.active | {name})):
            return self.read(self.scope.functions[name], stdin)

    @contextmanager
    def within(self, scope: Scope) -> Iterator[None]:
        outer, self.scope = self.scope, scope
        try:
            yield
        finally:
            self.scope = outer

    def read(self, node: Node, stdin: str = "") -> str:
        with self._budget.step():
            return self._readers.get(node.type, self._children)(node, stdin)

    def _children(self, node: Node, stdin: str) -> str:
        return "".join([self.read(child, stdin) for child in node.named_children])

    def _word(self, node: Node, stdin: str) -> str:
        self._texts.text(node)
        return ""

    def _command(self, node: Node, stdin: str, further: tuple[str, ...] = ()) -> str:
        words: list[str] = []
        assignments: list[Node] = []
        for child in node.named_children:
            if child.type == "variable_assignment":
                assignments.append(child)
            elif child.type.endswith("_redirect"):
                for redirect in redirects_of(child):
                    stdin = self._redirect(redirect, stdin)
            elif child.type == "command_name":
                words += self._texts.words(child.named_children[0]) if child.named_children else []
            else:
                words += self._texts.words(child)
        words += further
        with self.within(self.scope.one_command() if assignments and words else self.scope):
            for assignment in assignments:
                self._assignment(assignment, "")
            return self._commands.run(words, stdin) if words else ""

    def _declaration(self, node: Node, stdin: str) -> str:
        for child in node.named_children:
            if child.type == "variable_assignment":
                self._assignment(child, stdin)
            else:
                for word in self._texts.words(child):
                    name, given, value = word.partition("=")
                    if given:
                        self._assign(name, [value])
        return ""

    def _assignment(self, node: Node, stdin: str) -> str:
        name = node.child_by_field_name("name")
        values = self._texts.values(node.child_by_field_name("value"))
        if name is None or name.type != "variable_name":
            return ""
        if any(child.type == "+=" for child in node.children):
            values = _appended(self.scope.variables.get(source(name), []), values)
        self._assign(source(name), values)
        return ""

    def _assign(self, name: str, values: list[str]) -> None:
        self.scope.assign(name, values)
        self.tell(Assignment(name, tuple(values)))

    def _pipeline(self, node: Node, stdin: str) -> str:
        for stage in node.named_children:
            with self.within(self.scope.nested()):
                stdin = self.read(stage, stdin)
        return stdin

    def _list(self, node: Node, stdin: str) -> str:
        # A chain of && and || nests to the left, as deep as it is long.
        parts: list[Node] = []
        while node.type == "list" and len(node.named_children) > 1:
            first, *rest = node.named_children
            parts += reversed(rest)
            node = first
        printed = [self.read(node, stdin)]
        with self._maybe():
            printed += [self.read(part, stdin) for part in reversed(parts)]
        return "".join(printed)

    def _conditional(self, node: Node, stdin: str) -> str:
        with self._maybe():
            return self._children(node, stdin)

    @contextmanager
    def _maybe(self) -> Iterator[None]:
        before, self.scope.conditional = self.scope.conditional, True
        try:
            yield
        finally:
            self.scope.conditional = before

    def _subshell(self, node: Node, stdin: str) -> str:
        with self.within(self.scope.nested()):
            return self._children(node, stdin)

    def _for(self, node: Node, stdin: str) -> str:
        variable, body = node.child_by_field_name("variable"), node.child_by_field_name("body")
        values = [word for child in node.children_by_field_name("value") for word in self._texts.words(child)]
        printed = ""
        for value in values if 0 < len(values) <= MAX_LOOP else [UNKNOWN]:
            if variable is not None:
                self.scope.variables[source(variable)] = [value]
            if body is not None:
                printed += self._conditional(body, stdin)
        return printed

    def _function(self, node: Node, stdin: str) -> str:
        name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
        if name is None or body is None:
            return ""
        if multiplies(source(name), body):
            self.tell(Oddity("multiplies"))
        self.scope.functions[source(name)] = body
        unknown_caller = replace(self.scope.nested(), arguments=None, active=self.scope.active | {source(name)})
        with self.within(unknown_caller):
            self.read(body)
        return ""

    def _redirected(self, node: Node, stdin: str) -> str:
        body = node.child_by_field_name("body")
        redirects = [inner for child in node.named_children for inner in redirects_of(child)]
        for redirect in redirects:
            stdin = self._redirect(redirect, stdin)
        # Behind `<<EOF` on its line may stand more arguments of the command, and what its output goes to.
        rest = [part for redirect in redirects if redirect.type == "heredoc_redirect" for part in behind(redirect)]
        further = tuple(word for part in rest if part.type in _WORDS for word in self._texts.words(part))
        if body is None:
            printed = ""
        elif body.type == "command":
            printed = self._command(body, stdin, further)
        else:
            place = self.scope.shell.place
            printed = self.read(body, stdin)
            self._redirect_again(redirects, place)
        self._write(redirects, printed)
        for part in rest:
            if part.type not in _WORDS:
                printed = self.read(part, printed)
        return printed

    def _redirect_again(self, redirects: list[Node], before: Place) -> None:
        """In `cd x && y > z` the grammar takes the redirection for one of the whole list, which begins before `cd`."""
        if self.scope.shell.place != before:
            for redirect in redirects:
                if redirect.type == "file_redirect":
                    self._redirect(redirect, "")

    def _write(self, redirects: list[Node], printed: str) -> None:
        for redirect in redirects:
            destination = redirect.child_by_field_name("destination")
            operator = operator_of(redirect)
            if destination is not None and operator.startswith((">", "&>")) and printed != UNKNOWN:
                for word in self._texts.words(destination):
                    self._commands.write(word, printed, append=">>" in operator)

    def _redirect(self, node: Node, stdin: str) -> str:
        """What standard input is after the redirect."""
        if node.type == "heredoc_redirect":
            return self._texts.here_document(node)
        if node.type == "herestring_redirect":
            return " ".join(word for child in node.named_children for word in self._texts.words(child))
        fields = node.children_by_field_name("destination")
        destinations = [word for child in fields for word in self._texts.words(child)]
        operator, place = operator_of(node), self.scope.shell.place
        for path in destinations:
            self.tell(Redirect(operator, path, place))
        if operator.startswith("<"):
            return self._commands.contents(destinations[-1]) if destinations else stdin
        return stdin


def _appended(before: list[str], values: list[str]) -> list[str]:
    if len(before) <= 1 and len(values) == 1:
        return [(before[0] if before else "") + values[0]]
    return before + values
