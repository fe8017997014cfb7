"""Whose records a key reads: the check that the debug API asks for, since the record itself knows no keys."""

from __future__ import annotations

from collections.abc import Mapping

from gateway import auth, secrets
from gateway.directory import loading
from gateway.errors import BadRequest
from gateway.stopping import Stop, stopped
from observability.api import Reader, Refused


def reader(headers: Mapping[str, str]) -> Reader:
    """Whose key is in `headers`, and the teams whose records it reads; None for all of them. Raises Refused.

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
            if (stop := Stop("key", client.team, client.key)) in loading.stops():
                raise stopped(stop)
    except BadRequest as error:
        raise Refused(error.status, str(error)) from None
    teams = {client.team for client in clients}
    names = ", ".join(dict.fromkeys(f"key {client.key}" for client in clients))
    return Reader(names, None if teams == {""} else sorted(teams - {""}))
