"""The rows of one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any

from observability.bodies import packing, recipes
from observability.bodies.blobs import NewBlob, Shelf

from . import chain
from .chain import BLOCK_FIELDS, DECISION_FIELDS, Chain
from .database import Database
from .statements import (
    BLOB,
    BLOCK,
    CLOSE,
    CLOSE_COLUMNS,
    DECISION,
    OPEN,
    OPEN_COLUMNS,
    OUTBOX,
    REFERENCE,
    WHOLE,
    WHOLE_COLUMNS,
    Statement,
)

Row = dict[str, Any]
Stored = tuple[bytes, bytes]
"""The name of a body, and its recipe where it is to be packed; the recipe is empty where the body is a blob."""

_pick_opening: Callable[[Row], tuple[Any, ...]] = itemgetter(*OPEN_COLUMNS)
_pick_whole: Callable[[Row], tuple[Any, ...]] = itemgetter(*WHOLE_COLUMNS)
_pick_closing: Callable[[Row], tuple[Any, ...]] = itemgetter(*CLOSE_COLUMNS, "id")
_pick_block: Callable[[Row], tuple[Any, ...]] = itemgetter(*BLOCK_FIELDS, "arguments")
_pick_decision: Callable[[Row], tuple[Any, ...]] = itemgetter(*DECISION_FIELDS)
NOTABLE = frozenset({"block", "stop", "refuse", "failed_open", "failed_closed"})
"""Actions that somebody may want to be told of. They stand in the outbox from the commit of their decision on."""
_UNLINKED = ("", None, None, None)
BLOB_BYTES = 4 * 1024 * 1024
"""Blobs are written in transactions of this size at most, unless a single one is larger."""


class Batch:
    """Collects the rows of many entries. JSON in their rows is text already; times are datetimes."""

    def __init__(self, shelf: Shelf, own_chain: Chain, database: Database, now: datetime) -> None:
        self._shelf = shelf
        self._chain = own_chain
        self._time: Callable[[datetime | None], Any] = database.time
        self._now = now
        self._referred: set[tuple[bytes, bytes]] = set()
        self._opened: list[tuple[Any, ...]] = []
        self._wholes: list[tuple[Any, ...]] = []
        self._closed: list[tuple[Any, ...]] = []
        self._blocks: list[tuple[Any, ...]] = []
        self._decisions: list[tuple[Any, ...]] = []
        self._outbox: list[tuple[Any, ...]] = []
        self.blobs: list[NewBlob] = []

    def payload(self, call_id: str, raw: bytes, conversation: str = "") -> bytes:
        """Store bytes that `call_id` needs; returns their digest."""
        digest, fresh = self._shelf.put(raw, self._now, conversation)
        if fresh:
            self.blobs.extend(fresh)
            for blob in fresh:
                self._referred.update((target, blob.digest) for target in blob.targets)
        self._referred.add((digest, call_id.encode()))
        return digest

    def body(self, call_id: str, raw: bytes, conversation: str = "", base: tuple[bytes, bytes] | None = None) -> Stored:
        """Store a body of `call_id`, or say how it is packed. `base` is the name and the bytes of one like it."""
        if base is not None and (recipe := packing.edit(raw, base[1], base[0])):
            return recipes.name(raw), recipe
        if len(raw) < packing.SMALL:
            return recipes.name(raw), recipes.encode((raw,))
        return self.payload(call_id, raw, conversation), b""

    def packed(self, entries: Iterable[packing.Entry]) -> bytes | None:
        """What stands in a call's row of the bodies that `body` did not store."""
        entries = [entry for entry in entries if entry[1]]
        return packing.pack(entries, self._shelf.quick) if entries else None

    def open_call(self, row: Row) -> None:
        """The row of OPEN_COLUMNS."""
        self._opened.append(_pick_opening(row | {"started_at": self._time(row["started_at"])}))

    def close_call(self, row: Row, blocks: Sequence[Row], decisions: Sequence[Row]) -> None:
        """End a call that was opened, here or before. `row` is all of its columns; it gets its place in the chain."""
        self._chain_up(row, blocks, decisions)
        self._closed.append(_pick_closing(row))

    def whole_call(self, row: Row, blocks: Sequence[Row], decisions: Sequence[Row]) -> None:
        """A call that was over before its opening was written."""
        self._chain_up(row, blocks, decisions)
        self._wholes.append(_pick_whole(row | {"started_at": self._time(row["started_at"])}))

    def _chain_up(self, row: Row, blocks: Sequence[Row], decisions: Sequence[Row]) -> None:
        link = self._chain.extend(chain.call_leaf(row, blocks, decisions))
        row["boot_id"], row["sequence"], row["leaf"], row["chain"] = link
        row["closed_at"] = self._time(row["closed_at"])

    def add_block(self, call_id: str, block: Row) -> None:
        self._blocks.append((call_id, *_pick_block(block)))

    def add_decisions(self, call_id: str, decisions: Sequence[Row]) -> None:
        self._decisions.extend((call_id, *_pick_decision(decision), *_UNLINKED) for decision in decisions)
        self._outbox.extend((call_id, each["position"]) for each in decisions if each["action"] in NOTABLE)

    def add_late(self, call_id: str, decision: Row) -> None:
        link = self._chain.extend(chain.late_leaf(call_id, decision))
        self._decisions.append((call_id, *_pick_decision(decision), *link))
        if decision["action"] in NOTABLE:
            self._outbox.append((call_id, decision["position"]))

    def transactions(self) -> list[list[Statement]]:
        """What to commit, in order: blobs beyond a transaction's fill go ahead of the rows that need them."""
        # In one order everywhere, or two writers that store the same blobs could lock each other out.
        blobs = sorted(self.blobs, key=lambda blob: blob.digest)
        ahead: list[list[Statement]] = []
        group: list[tuple[Any, ...]] = []
        size, touched_at = 0, self._time(self._now)
        for blob in blobs:
            if group and size + len(blob.data) > BLOB_BYTES:
                ahead.append([(BLOB, group)])
                group, size = [], 0
            group.append((blob.digest, blob.recipe, blob.data, blob.size, touched_at))
            size += len(blob.data)
        statements: list[Statement] = [
            (BLOB, group),
            (REFERENCE, sorted(self._referred)),
            (OPEN, self._opened),
            (WHOLE, self._wholes),
            (BLOCK, self._blocks),
            (OUTBOX, self._outbox),
            (DECISION, self._decisions),
            (CLOSE, self._closed),
        ]
        last = [statement for statement in statements if statement[1]]
        return [*ahead, last] if last else ahead
