"""Who calls: the key of a request, or a provider's credential, as `Authorization: Bearer` or as `x-api-key`."""

from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings

from gateway import directory, secrets
from gateway.directory import Client
from gateway.errors import Forbidden, Unauthenticated
from gateway.passthrough import credential_headers, credential_secret, find_caller


async def authenticate(headers: Mapping[str, str]) -> Client:
    """The client whose key or own credential the headers carry; header names are in lower case.

    A client may send a second credential beside ours, but not two of ours. Raises Unauthenticated and Unavailable.
    """
    if settings.LUTHIEN_AUTH != "keys" and (caller := find_caller(headers, await directory.current())):
        return caller
    given = credentials(headers)
    if not given:
        raise Unauthenticated("No API key was given: send it as x-api-key or as Authorization: Bearer.")
    known = {client for secret in given if (client := await directory.find_client(secret))}
    if len(known) > 1:
        raise Unauthenticated("Two different keys were given, in Authorization and in x-api-key: send one of them.")
    if known:
        return known.pop()
    if any(secrets.mistyped(secret) for secret in given):
        raise Unauthenticated("This API key is mistyped or not complete: its checksum is wrong.")
    raise Unauthenticated("This API key is not known here, or was revoked.")


def require_call(client: Client) -> None:
    """Raises Forbidden if the key may not call models."""
    if not client.can_call:
        raise Forbidden("This key only reads records: it may not call models.")


def require_read(client: Client) -> None:
    """Raises Forbidden if the key may not read records."""
    if not client.can_read:
        raise Forbidden("This key only calls models: reading records takes one made with --read.")


def credentials(headers: Mapping[str, str]) -> list[str]:
    """The distinct credentials of a request."""
    return list(dict.fromkeys(credential_secret(header) for header in credential_headers(headers)))
