"""Which conversation a call belongs to, told from what clients send. Pure.

The name of a session is a hash over the key and what the client calls it, so that sessions never reach across keys.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from policies.content import Request

HEADERS = (
    "x-claude-code-session-id",
    "session-id",
    "session_id",
    "x-codex-session-id",
    "thread-id",
    "x-codex-thread-id",
    "x-codex-conversation-id",
    "conversation_id",
    "x-session-id",
)
"""Headers by which clients name a conversation, the most telling first. Names are lower case."""


def session_of(key: str, request: Request, headers: Mapping[str, str]) -> str:
    """The session's name, or the empty string where a call starts none (a quota probe, an empty request)."""
    named = next((headers[name] for name in HEADERS if headers.get(name)), "") or _metadata_user(request.source)
    if named:
        return _name(key, "named", named)
    if is_preflight(request) or not request.messages:
        return ""
    first = request.messages[0]
    return _name(key, "first", f"{first.role}\0{first.text}")


def is_preflight(request: Request) -> bool:
    """Whether the call only probes: one token cannot be an answer."""
    return request.max_tokens is not None and request.max_tokens <= 1


def _metadata_user(source: Any) -> str:
    metadata = source.get("metadata") if isinstance(source, Mapping) else None
    user = metadata.get("user_id") if isinstance(metadata, Mapping) else None
    return user if isinstance(user, str) else ""


def _name(key: str, how: str, what: str) -> str:
    digest = hashlib.blake2b(what.encode("utf-8", "surrogatepass"), key=_key(key), person=how.encode(), digest_size=12)
    return f"ses_{digest.hexdigest()}"


@lru_cache(maxsize=1024)
def _key(key: str) -> bytes:
    return hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=32).digest()
