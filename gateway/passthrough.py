"""Callers who bring a provider's credential of their own, where LUTHIEN_AUTH lets them.

It travels in `Client.credential`, as the header that it came in, and goes nowhere but to the provider of the model that
the client names, if that provider is marked for it: not to a fallback, a judge or another host.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings

from gateway import secrets
from gateway.directory import Client, Directory
from gateway.errors import Unauthenticated

TEAM = "passthrough"
KEY_PREFIX = "passthrough:"


def find_caller(headers: Mapping[str, str], directory: Directory) -> Client | None:
    """Who calls with a credential that is not Luthien's; None where Luthien's keys decide. Raises Unauthenticated.

    Not to be asked where LUTHIEN_AUTH is `keys`.
    """
    given = credential_headers(headers)
    brought = [header for header in given if not _is_ours(credential_secret(header), directory)]
    if settings.LUTHIEN_AUTH == "both" and len(brought) < max(len(given), 1):
        return None
    if not brought:
        raise Unauthenticated(
            "This gateway passes your own provider's credential on: send that, as you would to the provider."
        )
    if len(brought) > 1:
        raise Unauthenticated("Two credentials were given, in Authorization and in x-api-key: send one of them.")
    return caller(brought[0])


def caller(credential: tuple[str, str]) -> Client:
    """The client of a credential, given as the header that carries it; it has no row of its own, and its id is 0."""
    name = KEY_PREFIX + secrets.fingerprint(credential_secret(credential))
    return Client(name, TEAM, can_call=True, can_read=False, id=0, credential=credential)


def credential_headers(headers: Mapping[str, str]) -> list[tuple[str, str]]:
    """The headers that carry a credential, as they are sent on; names are in lower case."""
    scheme, _, token = headers.get("authorization", "").strip().partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else ""
    found = [("x-api-key", headers.get("x-api-key", "").strip()), ("authorization", bearer and f"Bearer {bearer}")]
    return [(name, value) for name, value in found if value]


def credential_secret(header: tuple[str, str]) -> str:
    """What such a header carries."""
    name, value = header
    return value.removeprefix("Bearer ") if name == "authorization" else value


def _is_ours(secret: str, directory: Directory) -> bool:
    """Whether it is a key of Luthien's: by its prefix, or one without it that somebody brought along."""
    return secret.startswith(secrets.KEY_PREFIX) or directory.client(secret) is not None
