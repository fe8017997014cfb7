"""Which files code in other languages may write: a guess by its literals. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

import re2

from policies.shell.code import literals

_WRITES = re2.compile(
    r"(?i)write|unlink|remove|rename|copy|move|chmod|chown|symlink|\blink|touch|mkdir|append|truncate|dump|save"
    r"|open\s*\(?[^)]*['\"][rwax+bt]*[wax+]|>"
)
_ADDED = re.compile(r"(['\"])\s*(?:\+|\.|\.\.)\s*\1|(['\"])\s+\2")
_HOME = re.compile(r"home|expanduser|~|userprofile", re.IGNORECASE)
MAX_JOINED = 4


def written_by_code(text: str) -> Iterator[str]:
    """Its literals where it writes at all, and paths that it may join from several, in a home if it asks for one."""
    if not _WRITES.search(text):
        return
    found = [literal.lstrip("<>+| ") for literal in literals(_ADDED.sub("", text))]
    starts = ("", "~/") if _HOME.search(text) else ("",)
    for first in range(len(found)):
        for last in range(first + 1, min(first + MAX_JOINED, len(found)) + 1):
            joined = "/".join(part.strip("/") if at else part for at, part in enumerate(found[first:last]))
            yield from (start + joined.lstrip("/") if start else joined for start in starts)
