"""What a report says of itself beside its rows: who asked for what, its seal, the policies that were in force."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from observability.models import ChainHead, Seal
from observability.sealing import statement
from observability.sealing.heads import Head, Heads
from observability.sealing.statement import NotASeal
from policies.models import Activation

from .models import Report
from .writing import Counts

_TRIES = 3


def ground() -> tuple[str | None, list[list[Any]]]:
    """The line of the last seal, and [chain, sequence, value in hex] of where it says that all chains stood.

    (None, []) without a seal. Where the two do not belong together, the chains are left out, and the seal says less.
    """
    line = None
    for _ in range(_TRIES):
        with transaction.atomic():
            line = Seal.objects.order_by("-number").values_list("line", flat=True).first()
            found = (
                ChainHead.objects.filter(sealed__gt=0).order_by("name").values_list("name", "sealed", "sealed_chain")
            )
            heads = [Head(name, sequence, bytes(value)) for name, sequence, value in found]
        if line is None:
            return None, []
        try:
            if Heads(heads).root == statement.Seal.read(line).root:
                return line, [[head.name, head.sequence, head.chain.hex()] for head in heads]
        except NotASeal:
            return None, []
    return line, []


def policies_in_force(since: datetime, until: datetime) -> list[dict[str, Any]]:
    """The activations that were in force at some time of the period, in the order in which they began."""
    during = Activation.objects.filter(Q(ended_at=None) | Q(ended_at__gt=since), created_at__lt=until)
    rows = during.select_related("version", "policy").order_by("created_at", "pk")
    return [
        {
            "policy": row.policy.name,
            "version": row.version.number,
            "class": row.version.registered_name,
            "checksum": row.version.checksum,
            "mode": row.mode,
            "percent": row.percent,
            "scope": row.scope,
            "on_failure": row.on_failure,
            "by": row.author,
            "from": row.created_at.astimezone(UTC).isoformat(),
            "to": row.ended_at.astimezone(UTC).isoformat() if row.ended_at else None,
        }
        for row in rows
    ]


def facts_of(
    report: Report, counts: Counts, ground: tuple[str | None, list[list[Any]]], now: datetime
) -> dict[str, Any]:
    """All that the manifest says but for the files and the key."""
    line, heads = ground
    return {
        "report": report.kind,
        "title": str(report),
        "by": report.job.created_by,
        "asked_at": _told(report.job.created_at),
        "made_at": _told(now),
        "since": _told(report.since),
        "until": _told(report.until),
        "filters": report.filters,
        "teams": report.teams,
        "contents": contents_told(report),
        "rows": counts.rows,
        "calls": counts.calls,
        "events": counts.events,
        "policies": policies_in_force(report.since, report.until),
        "seal": line,
        "heads": heads,
    }


def contents_told(report: Report) -> str | list[str]:
    """Whose calls it has with all that was said: `none`, `all`, those of a list of teams, or `redacted`: nobody's."""
    if not report.contents:
        return "none"
    if report.seen_teams is None:
        return "all"
    return sorted(report.seen_teams) or "redacted"


def _told(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
