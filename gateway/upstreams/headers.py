"""Which headers travel. Both lists are open: everything goes on but what is named here. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

Headers = list[tuple[str, str]]
Some = Mapping[str, str] | Iterable[tuple[str, str]]

HOP_BY_HOP = frozenset(
    {
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
        "transfer-encoding", "upgrade",
    }
)  # fmt: skip
CREDENTIALS = frozenset({"authorization", "x-api-key", "api-key", "x-goog-api-key"})
# Put there by proxies on our side of the wire, they tell of our network and not of the client's call.
_OUR_NETWORK = frozenset({"forwarded", "x-real-ip", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto",
                          "x-forwarded-port", "x-forwarded-server", "x-forwarded-prefix"})  # fmt: skip
# The body was decoded and read whole before it goes on, so what described its transport is no longer true.
_OF_THE_BODY = frozenset({"host", "content-length", "content-encoding", "expect", "accept-encoding"})
_NOT_FORWARDED = HOP_BY_HOP | CREDENTIALS | _OUR_NETWORK | _OF_THE_BODY | {"cookie", "cookie2"}
# Ours to say, also where the provider is another Luthien.
_OURS = frozenset({"x-luthien-call-id", "x-luthien-policies"})
_NOT_RETURNED = HOP_BY_HOP | _OURS | {"set-cookie", "set-cookie2", "content-encoding", "content-length"}

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_SECRET = re.compile(r"key|token|secret|password|credential|auth|cookie", re.IGNORECASE)
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


def forwarded(headers: Some) -> Headers:
    """The client's headers as they go to a provider: names in lower case, and asking for an uncompressed answer."""
    return [*_without(headers, _NOT_FORWARDED), ("accept-encoding", "identity")]


def returned(headers: Some) -> Headers:
    """The provider's headers as they go to the client: names in lower case, for a body that is decoded."""
    return _without(headers, _NOT_RETURNED)


def may_be_configured(name: str, value: str) -> bool:
    """Whether an administrator may have this header put on every request to a provider.

    Not where its name sounds like a credential: these headers are neither encrypted nor kept out of exports.
    """
    kept = name.lower() not in HOP_BY_HOP | _OF_THE_BODY and _SECRET.search(name) is None
    return kept and _TOKEN.fullmatch(name) is not None and _VALUE.fullmatch(value) is not None


def _without(headers: Some, dropped: frozenset[str]) -> Headers:
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    kept: Headers = []
    connection = ""
    for name, value in pairs:
        name = name.lower()
        if name not in dropped:
            kept.append((name, value))
        elif name == "connection":
            connection += "," + value
    return _without_options(kept, connection) if connection else kept


def _without_options(headers: Headers, connection: str) -> Headers:
    named = {option.strip().lower() for option in connection.split(",")}
    return [pair for pair in headers if pair[0] not in named]
