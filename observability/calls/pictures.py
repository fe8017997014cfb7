"""Images of a conversation, as far as a page may show them. Pure."""

from __future__ import annotations

import re

from policies.content import Image

MEDIA_TYPES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""What browsers decode and never run; SVG is a document with scripts."""
MOST = 4 * 1024 * 1024
"""Characters of base64 that a page takes in."""
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")


def picture(image: Image | None) -> str:
    """The image as a `data:` URL; empty where there is none, it lies elsewhere, or is of a kind or size not shown."""
    if image is None or image.media_type not in MEDIA_TYPES or len(image.data) > MOST:
        return ""
    data = "".join(image.data.split())
    return f"data:{image.media_type};base64,{data}" if _BASE64.fullmatch(data) else ""
