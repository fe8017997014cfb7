"""Every read of the record. `teams` bounds what a reader may see: the names of teams, or None for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from django.db.models import QuerySet

from policies.content import Request, Response

from .bodies import content, packing, recipes
from .bodies.reading import Blobs
from .bodies.recipes import PayloadDamaged
from .diffs.blocks import Block as DiffBlock
from .diffs.blocks import Diff, request_blocks, response_blocks
from .hiding import hide
from .models import Block, CallRecord, Process
from .rows.statements import PAYLOADS

Teams = Sequence[str] | None


def newest_ids(
    most: int,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    outcome: str = "",
    teams: Teams = None,
    **names: str,
) -> list[str]:
    """The ids of the newest `most` calls that are over and match all that is given, the newest first.

    `names` are of team, key, session, model and dialect; empty ones are no filter.
    """
    calls = (
        visible_calls(teams).exclude(outcome="open").filter(**{name: value for name, value in names.items() if value})
    )
    if outcome:
        calls = with_outcome(calls, outcome)
    if since is not None:
        calls = calls.filter(started_at__gte=since)
    if until is not None:
        calls = calls.filter(started_at__lt=until)
    return list(calls.order_by("-started_at", "-id").values_list("pk", flat=True)[:most])


def visible_calls(teams: Teams = None) -> QuerySet[CallRecord]:
    """All calls that a reader of `teams` may see."""
    return CallRecord.objects.all() if teams is None else CallRecord.objects.filter(team__in=list(teams))


def with_outcome(calls: QuerySet[CallRecord], outcome: str) -> QuerySet[CallRecord]:
    """Those that ended so, by the index that all but the finished have."""
    calls = calls.filter(outcome=outcome)
    return calls if outcome == "finished" else calls.exclude(outcome="finished")


def call(id: str, teams: Teams = None, *, bodies: bool = True) -> CallRecord | None:
    """The call of that id, if there is one that the reader may see; with `bodies` False, without what was said."""
    found = visible_calls(teams).filter(pk=id).first()
    return found if found is None or bodies else hide(found)


def payload(record: CallRecord, name: str, blobs: Blobs | None = None) -> bytes | None:
    """A body of `record`, exact to the byte; `name` is the payload's column. None where there is none.

    Whoever reads several gives each the same `blobs_of`: they share most of what they are made of. Raises
    PayloadDamaged where what is stored is not what was recorded.
    """
    digest = getattr(record, name)
    if digest is None:
        return None
    return recipes.assemble(bytes(digest), blobs or blobs_of(record))


def blobs_of(record: CallRecord) -> Blobs:
    """What the bodies of `record` are made of, each read once. Raises PayloadDamaged."""
    return Blobs(_packed(record))


def readable_blobs(*records: CallRecord) -> Blobs:
    """As `blobs_of`, for who shows what can be read: where packs are damaged, bodies in them count as missing."""
    packed: dict[bytes, bytes] = {}
    for record in records:
        with suppress(PayloadDamaged):
            packed |= _packed(record)
    return Blobs(packed)


def _packed(record: CallRecord) -> dict[bytes, bytes]:
    packs = (record.opening_bodies, record.closing_bodies)
    return packing.recipes([getattr(record, each) for each in PAYLOADS], packs)


def arguments(block: Block) -> bytes | None:
    """A released tool call's arguments; None for other kinds. Raises PayloadDamaged."""
    if block.content is None or block.arguments is not None:
        return None if block.arguments is None else bytes(block.arguments)
    return recipes.assemble(bytes(block.content), Blobs())


def request(record: CallRecord, name: str, blobs: Blobs | None = None) -> Request | None:
    """What `request_original` or `request_final` says, or None where it is not there or cannot be read."""
    body = _readable(record, name, blobs)
    dialect = record.upstream_dialect if name == "request_final" else ""
    return None if body is None else content.read_request(dialect or record.dialect, body)


def answers(record: CallRecord, name: str, blobs: Blobs | None = None) -> list[Response]:
    """What `response_original` or `response_final` says, one Response a choice."""
    raw = _readable(record, name, blobs)
    dialect = record.upstream_dialect if name == "response_original" else ""
    return [] if raw is None else content.read_answers(dialect or record.dialect, raw, _is_stream(record, raw))


def blocks(record: CallRecord, name: str, blobs: Blobs | None = None) -> list[DiffBlock]:
    """What a payload says, block by block; nothing where it is not there or cannot be read."""
    if name.startswith("request"):
        return request_blocks(request(record, name, blobs))
    return response_blocks(answers(record, name, blobs))


def diff(record: CallRecord) -> Diff:
    """Original and final of both directions, block by block."""
    blobs = readable_blobs(record)
    asked, sent, said, given = (blocks(record, name, blobs) for name in PAYLOADS)
    # Without an answer of a provider, what the client got was made by a policy.
    ours = bool(given) and record.response_original is None
    return {
        "request": {"changed": record.changed_request, "original": asked, "final": sent},
        "response": {"changed": record.changed_response or ours, "original": said, "final": given},
    }


def released_tool_calls(record: CallRecord) -> list[DiffBlock]:
    """The tool calls that the client of a call has by now, also while the call is running."""
    return [
        {"kind": block.kind, "name": block.tool_name, "arguments": _arguments_text(block), "id": block.tool_call_id}
        for block in record.blocks.all()
        if block.kind == "tool_call"
    ]


def _arguments_text(block: Block) -> str:
    try:
        return (arguments(block) or b"").decode(errors="replace")
    except PayloadDamaged:
        return ""


def _readable(record: CallRecord, name: str, blobs: Blobs | None) -> bytes | None:
    try:
        return payload(record, name, blobs)
    except PayloadDamaged:
        return None


def _is_stream(record: CallRecord, raw: bytes) -> bool:
    types = [value for name, value in record.response_headers if name.lower() == "content-type"]
    if types:
        return "event-stream" in types[0].lower()
    return record.streamed and raw.lstrip()[:1] != b"{"


def other_processes(boot_id: str) -> int:
    """How many gateway processes beside this one are alive."""
    return Process.objects.alive().exclude(boot_id=boot_id).count()
