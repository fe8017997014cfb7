"""Which tools reach the web, and the addresses in their arguments. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from policies.shell import UNKNOWN

WEB_TOOLS = (
    *("*fetch*", "web*", "*web_*", "*websearch*", "*browse*", "*http_*", "*scrape*", "*crawl*", "*navigate*"),
    *("*open_url*", "*download*", "google_search*", "*search_web*", "*url_context*"),
)
_ADDRESS = re.compile(r"\s*[a-zA-Z][a-zA-Z0-9+.-]*:[/\\]{2}")
_KEYS = frozenset({"url", "urls", "uri", "href", "link", "links", "host", "hostname", "domain", "endpoint", "website"})


def addresses(arguments: Mapping[str, Any]) -> list[str]:
    """Every text that is an address, or stands under a name for one, at any depth; UNKNOWN where there is none."""
    found: list[str] = []
    waiting: list[tuple[str, Any]] = [("", dict(arguments))]
    while waiting:
        key, value = waiting.pop()
        if isinstance(value, dict):
            waiting += [(name.lower(), item) for name, item in value.items()]
        elif isinstance(value, list):
            waiting += [(key, item) for item in value]
        elif isinstance(value, str) and (key in _KEYS or _ADDRESS.match(value)):
            found.append(value)
    return found or [UNKNOWN]
