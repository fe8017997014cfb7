"""What the page of one call shows, made from its record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from observability.diffs.blocks import Side
from observability.diffs.pairs import Pair, pair
from observability.models import CallRecord

LAST_BLOCKS = 6
"""Blocks of a request that stay unfolded: an agent repeats the whole conversation with each."""
PAYLOADS = {
    "request_original": "Request, as the client sent it",
    "request_final": "Request, as it went to the provider",
    "response_original": "Answer, as the provider gave it",
    "response_final": "Answer, as the client got it",
}


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
