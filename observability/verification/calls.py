"""Calls with their blocks and decisions, against the leaves that they were given."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from observability.rows.chain import (
    BLOCK_FIELDS,
    CALL_FIELDS,
    DECISION_FIELDS,
    ERASED,
    HIDDEN_FIELDS,
    call_leaf,
    late_leaf,
)
from observability.rows.entries import commitments
from observability.rows.statements import LINK_COLUMNS, PAYLOADS
from observability.sealing.tombstones import Range

from .snapshot import PAGE, Snapshot
from .walk import Finding, Leaf, Walk

Row = dict[str, Any]
CALL_COLUMNS = (*CALL_FIELDS, *PAYLOADS, "nonces", *LINK_COLUMNS)
BODY_COLUMNS = ("opening_bodies", "closing_bodies")
CALL_TIMES = ("started_at", "closed_at")
CALL_FLAGS = ("streamed", "changed_request", "changed_response")
BLOCK_COLUMNS = ("call_id", *BLOCK_FIELDS, "arguments")
DECISION_COLUMNS = ("call_id", *DECISION_FIELDS, *LINK_COLUMNS)
_CALLS = "observability_callrecord"


@dataclass(slots=True)
class Counts:
    """Of what was looked at. `erased` calls have given up their bodies on purpose."""

    calls: int = 0
    open: int = 0
    erased: int = 0
    verdicts: int = 0


class CallWalk:
    """Takes pages of calls and hands their leaves to the walk of their chain."""

    def __init__(
        self,
        walk_of: Callable[[str], Walk],
        erased: Mapping[str, Sequence[Range]],
        report: Callable[[Finding], None],
    ) -> None:
        self.counts = Counts()
        self._walk_of = walk_of
        self._erased = erased
        self._report = report

    def verify(self, snapshot: Snapshot, bodies: Callable[[Row, list[Row]], None] | None = None) -> Iterator[int]:
        """Look at all calls; yields how many each page has. `bodies` is told of each call and its blocks."""
        columns = (*CALL_COLUMNS, *(BODY_COLUMNS if bodies else ()))
        last: tuple[Any, ...] = ()
        for page in snapshot.table(_CALLS, columns, "id", times=CALL_TIMES, flags=CALL_FLAGS):
            to = () if len(page) < PAGE else (page[-1]["id"],)
            blocks = _children(snapshot, "block", BLOCK_COLUMNS, (), last, to)
            decisions = _children(snapshot, "decision", DECISION_COLUMNS, ("late",), last, to)
            for call in page:
                mine = blocks.pop(call["id"], [])
                self._call(call, mine, decisions.pop(call["id"], []))
                if bodies:
                    bodies(call, mine)
            self._strays(blocks, decisions)
            last = (page[-1]["id"],)
            yield len(page)
        if not last or len(page) == PAGE:
            self._strays(
                _children(snapshot, "block", BLOCK_COLUMNS, (), last, ()),
                _children(snapshot, "decision", DECISION_COLUMNS, ("late",), last, ()),
            )

    def _call(self, call: Row, blocks: list[Row], decisions: list[Row]) -> None:
        name, at = f"call {call['id']}", call["started_at"]
        self.counts.calls += 1
        self.counts.verdicts += len(decisions)
        ours = [decision for decision in decisions if not decision["late"]]
        for decision in decisions:
            self._decision(call, decision)
        for block in blocks:
            arguments = block["arguments"]
            if arguments is not None and hashlib.sha256(arguments).digest() != block["content"]:
                self._report(Finding(f"{name}: the arguments of block {block['position']} were edited", at))
        links = _links(call)
        if call["outcome"] == "open" and links == 0:
            self.counts.open += 1
            return
        if links != len(LINK_COLUMNS):
            self._report(Finding(f"{name}: was put in or edited, it is in no chain", at))
            return
        if not _is_recorded(call, blocks, ours):
            self._report(Finding(f"{name}: was edited, or its blocks or verdicts were", at))
        if not call["nonces"]:
            self._erased_call(call, ours, name)
        self._walk_of(call["boot_id"]).add(Leaf(call["sequence"], call["leaf"], call["chain"], name, at))

    def _decision(self, call: Row, decision: Row) -> None:
        name, at = f"verdict {decision['position']} of call {call['id']}", call["started_at"]
        if _links(decision) != (len(LINK_COLUMNS) if decision["late"] else 0):
            self._report(Finding(f"{name}: was put in or edited", at))
        elif decision["late"]:
            if late_leaf(call["id"], decision) != decision["leaf"]:
                self._report(Finding(f"{name}: was edited", at))
            self._walk_of(decision["boot_id"]).add(
                Leaf(decision["sequence"], decision["leaf"], decision["chain"], name, at)
            )

    def _erased_call(self, call: Row, decisions: list[Row], name: str) -> None:
        ranges = self._erased.get(call["boot_id"], ())
        if any(each.first <= call["sequence"] <= each.last for each in ranges):
            self.counts.erased += 1
        else:
            self._report(Finding(f"{name}: its bodies are gone, and no tombstone says why", call["started_at"]))
        if not _is_empty(call, decisions):
            self._report(Finding(f"{name}: was erased, and something was put in", call["started_at"]))

    def _strays(self, blocks: Mapping[str, list[Row]], decisions: Mapping[str, list[Row]]) -> None:
        for what, rows in (("block", blocks), ("verdict", decisions)):
            for call_id, found in rows.items():
                for row in found:
                    self._report(Finding(f"{what} {row['position']} of call {call_id}: there is no such call"))


def _is_recorded(call: Row, blocks: list[Row], decisions: list[Row]) -> bool:
    """Whether the row says what its leaf says, and holds what it has committed to, unless that was erased."""
    try:
        if call["nonces"] and commitments(call, decisions) != call["commitments"]:
            return False
        return call_leaf(call, blocks, decisions) == bytes(call["leaf"])
    except (TypeError, ValueError):
        return False  # no leaf can be made of what stands there


def _is_empty(call: Row, decisions: list[Row]) -> bool:
    """Whether nothing stands where an erasure left nothing: no leaf would tell."""
    digests = all(call[name] is None for name in PAYLOADS)
    fields = all(call[name] == ERASED[name] for name in HIDDEN_FIELDS)
    return digests and fields and not any(decision["reason"] or decision["evidence"] for decision in decisions)


def _links(row: Row) -> int:
    """How many columns of its place in a chain the row has filled in."""
    return sum(row[name] not in (None, "") for name in LINK_COLUMNS)


def _children(
    snapshot: Snapshot,
    table: str,
    columns: Sequence[str],
    flags: Sequence[str],
    after: tuple[Any, ...],
    to: tuple[Any, ...],
) -> dict[str, list[Row]]:
    """The rows of the calls behind `after`, up to and with `to`, by call, in the order of their positions."""
    bounds = " AND ".join([*(["call_id > ?"] if after else []), *(["call_id <= ?"] if to else [])])
    where = f"WHERE {bounds}" if bounds else ""
    names = ", ".join(f'"{column}"' for column in columns)
    sql = f"SELECT {names} FROM observability_{table} {where} ORDER BY call_id, position"  # noqa: S608 (ours)
    found: defaultdict[str, list[Row]] = defaultdict(list)
    for row in snapshot.mappings(snapshot.read(sql, (*after, *to)), columns, (), flags):
        found[row["call_id"]].append(row)
    return found
