"""Keeping credentials off the record. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

REMOVED = "[removed]"

_HEADER = re.compile(
    r"authorization|cookie|credential|password|secret|(?:api|access|auth)[-_]?key|token$", re.IGNORECASE
)
_PARAMETER = re.compile(
    r"([?&;][^=&;]*(?:key|token|secret|password|signature|credential)[^=&;]*=)[^&;#]*", re.IGNORECASE
)


def without_credentials(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The headers, with the values of those that carry a credential replaced."""
    return [(pair[0], REMOVED) if _carries_credential(pair[0]) else pair for pair in headers]


def without_secrets(path: str) -> str:
    """The path, with the values of query parameters that carry a credential replaced."""
    return _PARAMETER.sub(rf"\1{REMOVED}", path) if "?" in path else path


@lru_cache(512)
def _carries_credential(name: str) -> bool:
    return _HEADER.search(name) is not None
