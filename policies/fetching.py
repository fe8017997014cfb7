"""Asking a service over HTTP: what a policy says in `Call.fetch`. Pure."""

from __future__ import annotations

from dataclasses import dataclass


class FetchFailed(Exception):
    """There is no answer: down, too slow, too long, refused, or not to be asked. Not caught, the policy has failed."""


@dataclass(frozen=True, slots=True)
class Fetch:
    """A POST of the JSON `body` to `url`, to be answered within `deadline` seconds by at most `most` bytes.

    `secret` names the secret that it is signed with; empty for none.
    """

    url: str
    body: bytes
    secret: str
    deadline: float
    most: int
