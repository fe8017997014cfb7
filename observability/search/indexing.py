"""Filling the search index, and the stories of sessions, beside the record: calls that are new, and that are over."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet

from observability import queries
from observability.models import CallRecord, Decision, SearchEntry
from observability.retention.signals import contents_gone
from observability.reviews.models import WHOLE_CALL, Review
from observability.sessions import rollup
from observability.sessions.steps import Steps, steps_of

from .marks import Judgement, marks_of, relabelled
from .places import place_of, time_of
from .texts import called_tools, new_text

OVERLAP = timedelta(seconds=60)
"""How long after its beginning a call may come to be on record, or clocks of gateways differ. What comes later than
that, from a journal on disk, is found by `sweep`."""
AT_ONCE = 100
SWEPT_AT_ONCE = 2_000


class Entry(NamedTuple):
    """A row of the index (entry.py)."""

    number: int
    call_id: str
    is_open: bool
    cost_microdollars: int | None
    total_ms: float | None
    marks: str
    text: str


_IS_BEHIND = """
    SELECT EXISTS (
        SELECT 1 FROM (SELECT id FROM observability_callrecord ORDER BY started_at DESC, id DESC LIMIT %s) AS newest
        WHERE NOT EXISTS (SELECT 1 FROM observability_searchentry AS entry WHERE entry.call_id = newest.id)
    ) OR EXISTS (
        SELECT 1 FROM observability_searchentry AS entry
        JOIN observability_callrecord AS call ON call.id = entry.call_id
        WHERE entry.is_open AND call.outcome <> 'open'
    )
"""
_INSERT = (
    f"INSERT INTO observability_searchentry ({', '.join(Entry._fields)}) "  # noqa: S608
    f"VALUES ({', '.join(['%s'] * len(Entry._fields))}) ON CONFLICT DO NOTHING"
)


def is_behind() -> bool:
    """Whether `catch_up` has something to do: one quick query, which looks at the newest calls only."""
    with connection.cursor() as cursor:
        cursor.execute(_IS_BEHIND, (AT_ONCE,))
        return bool(cursor.fetchone()[0])


def catch_up(most: int = AT_ONCE) -> int:
    """Index up to `most` calls that are new, the oldest first, and as many that are over; returns how many it were."""
    fresh = list(_new_calls()[:most])
    _add(fresh)
    return len(fresh) + _renew(most)


def forget(call_ids: Iterable[str]) -> int:
    """Remove from the index what is in it of these calls, at once; returns how many were in it.

    To be called when the calls or their bodies are erased. A call that stays on record without its bodies may be
    indexed again by what is left: its names and verdicts, and no text.
    """
    ids = list(call_ids)
    removed = 0
    for start in range(0, len(ids), 500):
        rollup.forget(ids[start : start + 500])
        removed += SearchEntry.objects.filter(call_id__in=ids[start : start + 500]).delete()[0]
    return removed


def listen() -> None:
    """From now on what the record loses is forgotten, in the same transaction."""
    contents_gone.connect(_contents_gone, dispatch_uid="search")


def _contents_gone(sender: object, call_ids: Sequence[str], **_: object) -> None:
    forget(call_ids)


def sweep() -> Iterator[int]:
    """Index every call that is missing, walking over all of them; yields how many there were, step by step."""
    since = datetime(1970, 1, 1, tzinfo=UTC)
    while True:
        times = (
            CallRecord.objects.filter(started_at__gt=since).order_by("started_at").values_list("started_at", flat=True)
        )
        if not (walked := list(times[:SWEPT_AT_ONCE])):
            return
        missing = _missing().filter(started_at__gt=since, started_at__lte=walked[-1]).order_by("started_at")
        while found := list(missing[:AT_ONCE]):
            _add(found)
            yield len(found)
        since = walked[-1]


def _calls() -> QuerySet[CallRecord]:
    # Of the first call of a session nothing was seen before, however long the conversation is that it repeats.
    earlier = CallRecord.objects.filter(
        key=OuterRef("key"), session=OuterRef("session"), started_at__lt=OuterRef("started_at")
    )
    return CallRecord.objects.annotate(goes_on=Exists(earlier))


def _missing() -> QuerySet[CallRecord]:
    return _calls().filter(~Exists(SearchEntry.objects.filter(call_id=OuterRef("pk"))))


def _new_calls() -> QuerySet[CallRecord]:
    newest = SearchEntry.objects.order_by("-number").values_list("number", flat=True).first()
    calls = _missing().order_by("started_at", "id")
    return calls if newest is None else calls.filter(started_at__gt=time_of(newest) - OVERLAP)


def _renew(most: int) -> int:
    """Make entries of calls that were open anew where the call is over."""
    over = CallRecord.objects.filter(pk=OuterRef("call_id")).exclude(outcome="open")
    ids = list(
        SearchEntry.objects.filter(Exists(over), is_open=True)
        .order_by("number")
        .values_list("call_id", flat=True)[:most]
    )
    if not ids:
        return 0
    _add(list(_calls().filter(pk__in=ids)), replacing=ids)
    return len(ids)


def _add(calls: Sequence[Any], replacing: Sequence[str] = ()) -> None:
    """Index calls, each with `goes_on`: whether their session had one before."""
    if not calls:
        return
    ids = [call.pk for call in calls]
    labels = _labels(ids)
    judgements = _judgements(ids, labels)
    read = [_read(call, judgements.get(call.pk, ()), labels.get(call.pk, {})) for call in calls]
    with transaction.atomic():
        if replacing:
            SearchEntry.objects.filter(call_id__in=replacing).delete()
        kept = _kept(calls)
        insert([entry for entry, _ in read if entry.call_id in kept])
        rollup.add((call, steps) for call, (_, steps) in zip(calls, read, strict=True) if call.pk in kept)


def _kept(calls: Sequence[CallRecord]) -> set[str]:
    """Which of these nobody purged or erased since they were read, and nobody will until this transaction ends.

    The others are read anew, as they are then. Calls that are open cannot be erased, and are not locked: they end.
    """
    there = CallRecord.objects.filter(pk__in=[call.pk for call in calls]).order_by("pk")
    closed = there.filter(sequence__isnull=False).select_for_update(no_key=True)
    now = dict([*closed.values_list("pk", "nonces"), *there.filter(sequence=None).values_list("pk", "nonces")])
    return {call.pk for call in calls if call.pk in now and bytes(now[call.pk]) == bytes(call.nonces)}


def relabel(call_id: str) -> None:
    """Let the call be found by what people say of it now. One that is not in the index yet will be."""
    found = SearchEntry.objects.select_for_update().filter(call_id=call_id).first()
    if found is None:
        return
    labels = _labels([call_id])
    said = set(labels.get(call_id, {}).values())
    marks = relabelled(found.marks, _judgements([call_id], labels).get(call_id, ()), sorted(said))
    if marks != found.marks:
        # The words of an entry are taken out of the index when it goes, and put in when it comes.
        SearchEntry.objects.filter(pk=found.pk).delete()
        found.marks = marks
        SearchEntry.objects.bulk_create([found])


def _labels(ids: Sequence[str]) -> dict[str, dict[int, str]]:
    """By the calls' ids: labels by their places."""
    found: dict[str, dict[int, str]] = {}
    for id, position, label in Review.objects.filter(call_id__in=ids).values_list("call_id", "position", "label"):
        found.setdefault(id, {})[position] = label
    return found


def _judgements(ids: Sequence[str], labels: Mapping[str, Mapping[int, str]]) -> dict[str, list[Judgement]]:
    judged = Decision.objects.filter(call_id__in=ids).order_by("call_id", "position")
    rows = judged.values_list("call_id", "position", "policy", "version", "action")
    return {
        id: [
            Judgement(policy, version, action, bool({position, WHOLE_CALL} & labels.get(id, {}).keys()))
            for _, position, policy, version, action in group
        ]
        for id, group in groupby(rows, key=lambda row: row[0])
    }


def insert(entries: Sequence[Entry]) -> None:
    """Index the calls of these entries. Some may be there already; two of one microsecond may want one place."""
    wanted = {each.call_id: each for each in entries}
    with transaction.atomic():
        while wanted and _insert(wanted.values()) < len(wanted):
            there = set(SearchEntry.objects.filter(call_id__in=wanted).values_list("call_id", flat=True))
            wanted = {id: each._replace(number=each.number + 1) for id, each in wanted.items() if id not in there}


def _insert(entries: Iterable[Entry]) -> int:
    with connection.cursor() as cursor:
        cursor.executemany(_INSERT, list(entries))
        return int(cursor.rowcount)


def _read(call: Any, judgements: Sequence[Judgement], labels: Mapping[int, str]) -> tuple[Entry, Steps]:
    blobs = queries.readable_blobs(call)
    requests = [queries.request(call, "request_original", blobs)]
    if call.request_final not in (None, call.request_original):
        requests.append(queries.request(call, "request_final", blobs))
    said = given = queries.answers(call, "response_original", blobs)
    if call.response_final not in (None, call.response_original):
        given = queries.answers(call, "response_final", blobs)
    text = new_text(requests, said if given is said else [*said, *given], from_the_start=not call.goes_on)
    found = entry(call, judgements, called_tools(said), text, sorted(set(labels.values())))
    return found, steps_of(requests[0], said, given)


def entry(
    call: Any, judgements: Sequence[Judgement], tools: Iterable[str], text: str, labels: Collection[str] = ()
) -> Entry:
    """The entry of a call of which that was decided, in which these tools were called and in which `text` was new."""
    return Entry(
        number=place_of(call.started_at, call.id),
        call_id=call.id,
        is_open=call.outcome == "open",
        cost_microdollars=call.cost_microdollars,
        total_ms=call.total_ms,
        marks=marks_of(call, judgements, tools, labels),
        text=text,
    )
