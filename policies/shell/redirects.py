"""The parts of redirections. Pure."""

from __future__ import annotations

from tree_sitter import Node

from .texts import source


def redirects_of(node: Node) -> list[Node]:
    """`node` if it is one, and those that stand behind `<<EOF` on its line."""
    inside = [child for child in node.named_children if child.type in ("file_redirect", "herestring_redirect")]
    return [node, *inside] if node.type.endswith("_redirect") else []


def behind(heredoc: Node) -> list[Node]:
    """What stands behind `<<EOF` on its line and is no redirection."""
    own = ("heredoc_start", "heredoc_body", "heredoc_end", "file_redirect", "herestring_redirect", "file_descriptor")
    return [child for child in heredoc.named_children if child.type not in own]


def operator_of(redirect: Node) -> str:
    """`>`, `>>`, `<`, ..."""
    # The grammar has no `<>`, and reads one of its halves as an error.
    return "".join(source(child) for child in redirect.children if not child.is_named or child.is_error)
