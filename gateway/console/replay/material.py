"""What a replay is about: one call as its client sent it, and what its provider answered. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.upstreams.base import Headers


class NotReplayable(ValueError):
    """There is nothing that policies could be run over; says why, for people."""


@dataclass(frozen=True, slots=True)
class Material:
    """`answer` is the provider's body, None where it was never asked; `upstream_dialect` is empty for the client's.

    `path` is what follows `/v1`, `model` the provider's name of the model that answered. What has
    no `id` gets one.
    """

    dialect: str
    path: str
    request: bytes
    answer: bytes | None
    headers: Mapping[str, str] = field(default_factory=dict)
    status: int = 200
    answer_headers: Headers = field(default_factory=list)
    upstream_dialect: str = ""
    provider: str = ""
    model: str = ""
    key: str = ""
    team: str = ""
    id: str = ""
