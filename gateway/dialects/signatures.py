"""Whose signature thinking has. Clients send it back, perhaps for another provider, who would refuse it. Pure."""

from __future__ import annotations

_MARK = "luthien"


def marked(provider: str, signature: str) -> str:
    """The signature that the provider of that name gave, or none that it gave, for a client of another dialect."""
    return f"{_MARK}:{provider}:{signature}"


def signed_by(provider: str, signature: str) -> str | None:
    """The signature as the provider of that name gave it; None if the thinking is not known to be its own."""
    mark = marked(provider, "")
    return signature.removeprefix(mark) if signature.startswith(mark) else None
