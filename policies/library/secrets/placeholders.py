"""Texts that stand where a secret would. Pure."""

from __future__ import annotations

import re

_MARKS = re.compile(
    r"example|placeholder|changeme|change[-_]me|your[-_]|my[-_](?:secret|password|token|key)|dummy|redacted|"
    r"x{6}|\*{3}|\.{3}|0{8}|12345678|abcdefgh|"
    r"\[SECRET:|process\.env|environ|getenv|\$\{|\{\{|<[a-z_ -]+>",
    re.IGNORECASE,
)


def is_placeholder(text: str) -> bool:
    """Whether `text` says itself that it is none, or is what we put there."""
    return _MARKS.search(text) is not None
