"""What the page of one call shows, made from its record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from observability.diff import Side
from observability.models import CallRecord, Decision
from observability.presentation import Pair, pair

Span = tuple[str, str, float, float]

LAST_BLOCKS = 6
"""Blocks of a request that stay unfolded: an agent repeats the whole conversation with each."""
PAYLOADS = {
    "request_original": "Request, as the client sent it",
    "request_final": "Request, as it went to the provider",
    "response_original": "Answer, as the provider gave it",
    "response_final": "Answer, as the client got it",
}


def spans(call: CallRecord, decisions: Iterable[Decision]) -> list[Span]:
    """The steps of a call for its timeline: label, tone, start and end in milliseconds. Empty while it is open.

    How long policies held the answer, and Luthien's own share, are sums: they are drawn at the end and at the start.
    """
    if call.total_ms is None:
        return []
    total = call.total_ms
    judged = [decision for decision in decisions if decision.hook == "on_request" and not decision.late]
    sent = max((decision.at_ms for decision in judged), default=0.0)
    steps: list[tuple[str, str, float | None, float | None]] = [
        ("Request policies", "policy", 0.0 if judged else None, sent),
        ("Until the provider answered", "idle", sent, call.upstream_head_ms),
        ("Until its first event", "idle", call.upstream_head_ms, call.first_event_ms),
        ("The answer", "", call.first_event_ms, total),
        ("Held by policies", "policy", total - min(call.hold_ms, total) if call.hold_ms else None, total),
        ("Luthien itself", "", 0.0, call.overhead_ms),
        ("Whole call", "", 0.0, total),
    ]
    return [
        (label, tone, start, max(start, end))
        for label, tone, start, end in steps
        if start is not None and end is not None
    ]


def header_lists(call: CallRecord) -> list[tuple[str, list[tuple[str, str]]]]:
    """The headers on record, as (title, pairs)."""
    lists = (("Request headers", call.request_headers), ("Answer headers", call.response_headers))
    return [(title, headers) for title, headers in lists if headers]


def call_part(id: str, title: str, side: Side, shown: int | None = None) -> dict[str, Any]:
    """One half of the call page. With `shown`, unchanged blocks before the last `shown` of the talk are folded."""
    pairs = pair(side["original"], side["final"] if side["changed"] else side["original"])
    return {"id": id, "title": title, "changed": side["changed"], "groups": list(_groups(pairs, shown))}


def _groups(pairs: Sequence[Pair], shown: int | None) -> Iterator[dict[str, Any]]:
    talk = sum(not _is_tool(each) for each in pairs)
    open_from = 0 if shown is None else max(talk - shown, 0)
    places = enumerate(pairs)
    for folded, group in groupby(places, lambda item: _is_folded(item[1], item[0] < open_from)):
        yield {"folded": folded, "pairs": [each for _, each in group]}


def _is_folded(each: Pair, early: bool) -> bool:
    return each.mark == "same" and (early or _is_tool(each))


def _is_tool(each: Pair) -> bool:
    """Whether it is a tool that the client offers; these stand behind the talk."""
    return (each.original or each.final or {}).get("kind") == "tool"
