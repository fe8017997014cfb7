"""Rewrites scripts: the words that change, and not a byte beside them. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

from tree_sitter import Node

from policies.shell.grammar import parse
from policies.shell.programs import SHELLS

from .commands import change

MAX_SCRIPT = 64 * 1024
"""Characters. Longer scripts stay as they are."""
MAX_DEPTH = 4
_MENTIONED = re.compile(r"\bpip|\bvenv\b|\bvirtualenv\b")
_SHELL_OPTION = re.compile(r"-[a-z]*c\Z")


class Edit(NamedTuple):
    """Bytes from `start` to before `end`, and what takes their place."""

    start: int
    end: int
    text: bytes


def rewritten(script: str, system: bool, depth: int = 0) -> str:
    """`script` with uv for pip; itself where it cannot be parsed, is too long, or says nothing of it."""
    if len(script) > MAX_SCRIPT or depth > MAX_DEPTH or not _MENTIONED.search(script):
        return script
    try:
        root = parse(script)
    except UnicodeEncodeError:
        return script
    if root.has_error:
        return script
    whole = script.encode()
    for edit in sorted(_edits(root, system, depth), reverse=True):
        whole = whole[: edit.start] + edit.text + whole[edit.end :]
    return whole.decode()


def _edits(root: Node, system: bool, depth: int) -> list[Edit]:
    edits: list[Edit] = []
    waiting = [root]
    while waiting:
        node = waiting.pop()
        waiting += node.named_children
        if node.type == "command":
            edits += _of_command(node, system, depth)
    return edits


def _of_command(node: Node, system: bool, depth: int) -> list[Edit]:
    words = [child for child in node.named_children if not child.type.endswith(("_redirect", "_assignment"))]
    texts = [_text(word) for word in words]
    found = change(texts, system)
    if found:
        return [Edit(words[found.start].start_byte, words[found.end - 1].end_byte, found.words.encode())]
    if any((text or "").rpartition("/")[2] in SHELLS for text in texts[:2]):
        return [
            edit
            for option, script in zip(texts, words[1:], strict=False)
            if option is not None and _SHELL_OPTION.match(option)
            for edit in _of_script(script, system, depth)
        ]
    return []


def _of_script(node: Node, system: bool, depth: int) -> list[Edit]:
    """A script in quotes, where each of its characters stands for itself."""
    if node.type not in ("raw_string", "string"):
        return []
    inner = _source(node)[1:-1]
    if node.type == "string" and re.search(r'[\\$`"]', inner):
        return []
    changed = rewritten(inner, system, depth + 1)
    return [Edit(node.start_byte + 1, node.end_byte - 1, changed.encode())] if changed != inner else []


def _text(node: Node) -> str | None:
    """A word that is written plainly."""
    if node.type == "command_name":
        node = node.named_children[0] if node.named_children else node
    text = _source(node)
    return text if node.type in ("word", "number") and "\\" not in text else None


def _source(node: Node) -> str:
    return (node.text or b"").decode()
