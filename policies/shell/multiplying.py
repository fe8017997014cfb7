"""Functions that start themselves without end: fork bombs. Pure."""

from __future__ import annotations

from tree_sitter import Node

from .texts import source


def multiplies(name: str, body: Node) -> bool:
    """Whether the function starts itself twice in a pipeline, or again in the background."""
    waiting = [body]
    while waiting:
        node = waiting.pop()
        calls = [child for child in node.named_children if _calls(child, name)]
        if node.type == "pipeline" and len(calls) > 1:
            return True
        if any(call.next_sibling is not None and call.next_sibling.type == "&" for call in calls):
            return True
        waiting += node.named_children
    return False


def _calls(node: Node, name: str) -> bool:
    called = node.child_by_field_name("name")
    return node.type == "command" and called is not None and source(called) == name
