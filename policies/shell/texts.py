"""What the words of a script say once the shell has expanded them. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from tree_sitter import Node

from .scope import Scope
from .words import FETCHED, FILE, UNKNOWN, braces, breaking, decode, split, unescape, unescape_double_quoted

_DEFAULTS = frozenset({":-", "-", ":=", "="})


class Printing(Protocol):
    """Whoever can tell what a part of the script prints."""

    scope: Scope

    def read(self, node: Node, stdin: str = "") -> str: ...

    def spend(self, characters: int) -> None: ...


class Texts:
    def __init__(self, script: Printing) -> None:
        self._script = script
        self._readers: dict[str, Callable[[Node], str]] = {
            "raw_string": lambda node: source(node)[1:-1],
            "ansi_c_string": lambda node: decode(source(node)[2:-1]),
            "string": lambda node: self._spliced(node, 1),
            "process_substitution": self._process,
        }
        self._expansions: dict[str, Callable[[Node], str]] = {
            "simple_expansion": lambda node: script.scope.value(source(node)[1:]),
            "expansion": self._expansion,
            "command_substitution": lambda node: script.read(node).rstrip("\n"),
        }

    def words(self, node: Node) -> list[str]:
        """The words that `node` becomes: none, one or many."""
        text = self.text(node)
        self._script.spend(len(text))
        written = node.children if node.type == "concatenation" else [node]
        if any(child.type == "word" and b"{" in (child.text or b"") for child in written):
            return [word for part in braces(text) for word in split(part)]
        return split(text)

    def text(self, node: Node, quoted: bool = False) -> str:
        """`node` expanded, with BREAK where it falls into several words."""
        reader = self._readers.get(node.type)
        if reader is not None:
            return reader(node)
        expansion = self._expansions.get(node.type)
        if expansion is not None:
            expanded = expansion(node)
            self._script.spend(len(expanded))
            return expanded if quoted else breaking(expanded)
        if node.type in ("concatenation", "translated_string"):
            return "".join(self.text(child, quoted) for child in node.named_children)
        return self._unknown(node) if node.named_children else unescape(source(node))

    def here_document(self, node: Node) -> str:
        """The text of a heredoc_redirect."""
        start = _child(node, "heredoc_start")
        body = _child(node, "heredoc_body")
        if body is None:
            return ""
        literal = start is not None and any(mark in source(start) for mark in "'\"\\")
        text = source(body) if literal else self._spliced(body, 0)
        self._script.spend(len(text))
        return text

    def values(self, node: Node | None) -> list[str]:
        """The values of an assignment."""
        if node is None:
            return [""]
        if node.type == "array":
            return [word for child in node.named_children for word in self.words(child)]
        return [" ".join(split(self.text(node)))] if node.type != "string" else [self.text(node, True)]

    def _spliced(self, node: Node, quote: int) -> str:
        """Text with expansions in it. Taken from between them, because the grammar skips some of the white space."""
        whole, base = node.text or b"", node.start_byte
        pieces: list[str] = []
        at = quote
        for child in node.named_children:
            if child.type in ("string_content", "heredoc_content"):
                continue
            pieces += unescape_double_quoted(whole[at : child.start_byte - base].decode()), self.text(child, True)
            at = child.end_byte - base
        pieces.append(unescape_double_quoted(whole[at : len(whole) - quote].decode()))
        return "".join(pieces)

    def _process(self, node: Node) -> str:
        # What a command writes into `>(...)` is not known, and a shell in there would run it.
        return FILE + self._script.read(node, FETCHED if source(node).startswith(">") else "")

    def _expansion(self, node: Node) -> str:
        operator = node.child_by_field_name("operator")
        name, *rest = node.named_children or [node]
        default = " ".join(self.text(child) for child in rest)
        if operator is None and name.type == "subscript":
            return self._element(name)
        if name.type != "variable_name" and name.type != "special_variable_name":
            return self._unknown(node)
        value = self._script.scope.value(source(name))
        if operator is None:
            return value
        if source(operator) in _DEFAULTS and operator.start_byte > name.start_byte:
            return default if value in ("", UNKNOWN) else value
        return default if source(operator) in (":+", "+") else UNKNOWN

    def _element(self, subscript: Node) -> str:
        name, index = subscript.child_by_field_name("name"), subscript.child_by_field_name("index")
        if name is None or index is None:
            return UNKNOWN
        return self._script.scope.element(source(name), self.text(index))

    def _unknown(self, node: Node) -> str:
        """Nobody knows, but what is run inside is looked at."""
        for child in node.named_children:
            self.text(child)
        return UNKNOWN


def source(node: Node) -> str:
    return (node.text or b"").decode()


def _child(node: Node, kind: str) -> Node | None:
    return next((child for child in node.children if child.type == kind), None)
