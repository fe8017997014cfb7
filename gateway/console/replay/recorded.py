"""A call from the record, to be replayed."""

from __future__ import annotations

from gateway.dialects import DIALECTS
from observability import queries
from observability.bodies.recipes import PayloadDamaged
from observability.hiding import HIDDEN
from observability.models import CallRecord

from .material import Material, NotReplayable

_NEEDED = frozenset({"request_original", "response_original"})


def recorded(record: CallRecord) -> Material:
    """What `record` keeps of its call. Reads the database. Raises NotReplayable where it does not keep enough."""
    if record.bodies_hidden:
        raise NotReplayable(HIDDEN)
    if record.outcome == "open":
        raise NotReplayable("This call is still under way.")
    if record.dialect not in DIALECTS or _NEEDED.intersection(record.truncated):
        raise NotReplayable("This call was too large to be kept whole, so it cannot be replayed.")
    request, answer = _body(record, "request_original"), _body(record, "response_original")
    if request is None:
        raise NotReplayable("The request of this call is no longer on record.")
    last = record.attempts[-1] if record.attempts else {}
    return Material(
        dialect=record.dialect,
        path=record.path,
        request=request,
        answer=answer,
        headers=dict(record.request_headers),
        status=last.get("status") or record.status or 200,
        answer_headers=[(name, value) for name, value in record.response_headers],
        upstream_dialect=record.upstream_dialect,
        provider=record.provider,
        model=record.upstream_model,
        key=record.key,
        team=record.team,
        id=record.pk,
    )


def _body(record: CallRecord, name: str) -> bytes | None:
    try:
        return queries.payload(record, name)
    except PayloadDamaged:
        raise NotReplayable("A body of this call is damaged: it is not what its name says.") from None
