"""The Bash grammar. Pure."""

from __future__ import annotations

import tree_sitter_bash
from tree_sitter import Language, Node, Parser

_BASH = Language(tree_sitter_bash.language())


def parse(script: str) -> Node:
    """The whole script as a tree, in bytes of its UTF-8. Raises UnicodeEncodeError."""
    return Parser(_BASH).parse(script.encode()).root_node
