"""Which hosts may be reached. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from policies.shell import UNKNOWN

from .hosts import is_private


@dataclass(frozen=True, slots=True)
class Rules:
    """Patterns of hosts, in ASCII and small letters, and what is stopped beside them."""

    allowed: tuple[str, ...]
    denied: tuple[str, ...]
    private: bool
    lookalikes: bool
    unknown: bool

    @classmethod
    def of(
        cls, allowed: tuple[str, ...], denied: tuple[str, ...], private: bool, lookalikes: bool, unknown: bool
    ) -> Rules:
        return cls(tuple(map(_ascii, allowed)), tuple(map(_ascii, denied)), private, lookalikes, unknown)

    def forbids(self, host: str) -> str | None:
        """Why `host` may not be reached, if it may not."""
        if host == UNKNOWN:
            return "unknown host" if self.unknown else None
        if any(fnmatchcase(host, pattern) for pattern in self.denied):
            return "denied host"
        if host in self.allowed:
            return None
        if self.private and is_private(host):
            return "private address"
        if self.lookalikes and any(label.startswith("xn--") for label in host.split(".")):
            return "host in look-alike letters"
        return None if any(fnmatchcase(host, pattern) for pattern in self.allowed) else "host that is not allowed"


def _ascii(pattern: str) -> str:
    labels = pattern.strip().lower().rstrip(".").split(".")
    return ".".join(label if label.isascii() else label.encode("idna").decode() for label in labels)
