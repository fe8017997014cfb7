"""Names and ids of tools where one dialect takes fewer characters than another. Pure.

Both survive the round trip: an id is written so that it can be read back, a name so that it can be recognised.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re

LONGEST_NAME = 64
_PLAIN = re.compile(r"[a-zA-Z0-9_-]+\Z")
_MARK = "luthien_id_"


def safe_id(tool_call_id: str) -> str:
    """The id in letters that every dialect takes; itself where it has only such."""
    if _PLAIN.match(tool_call_id) and not tool_call_id.startswith(_MARK):
        return tool_call_id
    encoded = base64.urlsafe_b64encode(tool_call_id.encode("utf-8", "surrogatepass")).decode()
    return _MARK + encoded.rstrip("=")


def own_id(tool_call_id: str) -> str:
    """The inverse of `safe_id`; an id that it cannot have made is itself."""
    encoded = tool_call_id.removeprefix(_MARK)
    if encoded == tool_call_id:
        return tool_call_id
    try:
        padded = encoded + "=" * (-len(encoded) % 4)
        decoded = base64.b64decode(padded, altchars=b"-_", validate=True).decode("utf-8", "surrogatepass")
    except (binascii.Error, ValueError):
        return tool_call_id
    return decoded if safe_id(decoded) == tool_call_id else tool_call_id


def safe_name(name: str) -> str:
    """The tool's name as every dialect takes it: itself, or its beginning and a hash of it."""
    if _PLAIN.match(name) and len(name) <= LONGEST_NAME:
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{re.sub(r'[^a-zA-Z0-9_-]', '_', name)[: LONGEST_NAME - 9]}_{digest}"
