"""Audit events against their chain, and what they vouch for: rows of policies, and what was removed on purpose."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

import orjson

from observability.audit import CHAIN
from observability.rows.chain import AUDIT_FIELDS, audit_leaf
from observability.rows.statements import LINK_COLUMNS
from observability.sealing import tombstones
from observability.sealing.tombstones import Range

from .snapshot import Snapshot
from .walk import Finding, Leaf, Walk

COLUMNS = ("id", *AUDIT_FIELDS, *LINK_COLUMNS)
TIMES = ("at",)


def removed_events(snapshot: Snapshot, keys: Collection[bytes]) -> list[Range]:
    """The audit events that tombstones name: known first, since a tombstone stands behind what it excuses."""
    found: list[Range] = []
    sql = "SELECT commits FROM observability_auditevent WHERE commits LIKE ?"
    for (commits,) in snapshot.read(sql, ('%"tombstone"%',)):
        with suppress(ValueError):
            read = orjson.loads(commits)
            said = tombstones.read(read) if isinstance(read, dict) else None
            if said is not None and said[0] == "removed" and said[2] in keys:
                found += [each for each in said[1] if each.name == CHAIN]
    return found


class AuditWalk:
    """Takes audit events in any order. `vouched` is the last leaf of each row that one vouches for, with the event's
    time; `removed` and `erased` are the ranges of leaves whose rows, or whose bodies, went on purpose, by chain."""

    def __init__(
        self, walk_of: Callable[[str], Walk], keys: Collection[bytes], report: Callable[[Finding], None]
    ) -> None:
        self.vouched: dict[str, tuple[bytes, datetime]] = {}
        self.removed: defaultdict[str, list[Range]] = defaultdict(list)
        self.erased: defaultdict[str, list[Range]] = defaultdict(list)
        self._walk_of = walk_of
        self._keys = keys
        self._report = report

    def add(self, row: Mapping[str, Any]) -> None:
        name, at = f"audit event {row['id']}", row["at"]
        if row["boot_id"] != CHAIN or row["sequence"] is None or row["leaf"] is None or row["chain"] is None:
            self._report(Finding(f"{name}: was put in, it is not in the chain", at))
            return
        try:
            event = {**row, "detail": orjson.loads(row["detail"]), "commits": orjson.loads(row["commits"])}
            if audit_leaf(event) != bytes(row["leaf"]):
                self._report(Finding(f"{name}: was edited", at))
            self._note(name, at, event["commits"])
        except (ValueError, TypeError):
            self._report(Finding(f"{name}: was edited, it cannot be read", at))
        self._walk_of(CHAIN).add(Leaf(row["sequence"], bytes(row["leaf"]), bytes(row["chain"]), name, at))

    def _note(self, name: str, at: datetime, commits: Any) -> None:
        if not isinstance(commits, dict):
            return
        for row, leaf in commits.get("rows", {}).items():
            self.vouched[row] = bytes.fromhex(leaf), at
        if "tombstone" not in commits:
            return
        said = tombstones.read(commits)
        if said is None or said[2] not in self._keys:
            self._report(Finding(f"{name}: its tombstone is not signed by a key that is trusted", at))
            return
        kind, ranges, _ = said
        for each in ranges:
            (self.removed if kind == "removed" else self.erased)[each.name].append(each)
