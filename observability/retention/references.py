"""Which calls need which blobs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from observability.models import BlobReference, Block
from observability.rows.statements import PAYLOADS as PAYLOADS

Needed = dict[str, set[bytes]]
"""By the id of a call: the digests of what it says was sent and said."""


def of_calls(rows: Sequence[Mapping[str, Any]]) -> Needed:
    """Of calls, given their `pk` and PAYLOADS, and of their blocks. Small ones among them are no blobs."""
    needed: defaultdict[str, set[bytes]] = defaultdict(set)
    for row in rows:
        needed[row["pk"]].update(bytes(row[name]) for name in PAYLOADS if row[name] is not None)
    large = Block.objects.filter(call_id__in=[row["pk"] for row in rows], arguments=None).exclude(content=None)
    for block in large.order_by().values("call_id", "content"):
        needed[block["call_id"]].add(bytes(block["content"] or b""))
    return dict(needed)


def drop(needed: Needed) -> None:
    """These calls need nothing any more."""
    # By target and source: references are found by their target alone.
    targets: Iterable[bytes] = set().union(*needed.values())
    sources = [call_id.encode() for call_id in needed]
    BlobReference.objects.filter(target__in=targets, source__in=sources)._raw_delete("default")
