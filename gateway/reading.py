"""Whose records a key reads: the check that the debug API asks for, since the record itself knows no keys."""

from __future__ import annotations

from collections.abc import Mapping

from gateway import auth, secrets
from gateway.directory import loading
from gateway.errors import BadRequest
from observability.api import Refused
from observability.queries import Teams


def readable_teams(headers: Mapping[str, str]) -> Teams:
    """The teams whose records the key in `headers` reads; None for all of them. Raises Refused.

    Looked up in the database each time: reading is no hot path, and so a revocation acts at once.
    """
    lowered = {name.lower(): value for name, value in headers.items()}
    clients = [
        client for secret in auth.credentials(lowered) if (client := loading.find_client(secrets.digest(secret)))
    ]
    if not clients:
        raise Refused(401, "This API key is not known here, or was revoked.")
    try:
        for client in clients:
            auth.require_read(client)
    except BadRequest as error:
        raise Refused(error.status, str(error)) from None
    teams = {client.team for client in clients}
    return None if teams == {""} else sorted(teams - {""})
