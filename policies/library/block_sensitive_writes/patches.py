"""Which files a patch changes. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

_HEADER = re.compile(
    r"^[ \t]*\*\*\* (?:Add|Update|Delete|Create|Remove) File:\s*(.+)$|^[ \t]*\*\*\* (?:Move|Rename) to:\s*(.+)$"
    r"|^(?:\+\+\+|---) ([^\t\n]+)|^(?:rename|copy) (?:to|from) (.+)$|^Index: (.+)$",
    re.MULTILINE,
)


def patched(text: str) -> Iterator[str]:
    """The paths in the headers of a patch, unified or of the kind that agents write, with and without `a/` and `b/`."""
    for match in _HEADER.finditer(text):
        path = next(filter(None, match.groups())).strip().strip('"')
        yield path
        if match[3] and path.startswith(("a/", "b/")):
            yield path[2:]
