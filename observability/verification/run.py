"""The whole verification: seals, audit events, policies, calls, and bodies where they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime

from observability.audit import CHAIN
from observability.sealing.anchor import Anchor
from observability.sealing.statement import Seal

from . import audit, policies
from .audit import AuditWalk, removed_events
from .bodies import BodyCheck
from .calls import CallWalk, Counts
from .seals import SealWalk
from .snapshot import Snapshot
from .walk import Finding, Walk

MOST = 1000
"""Findings that are kept; the others are counted."""
_TABLES = ("seal", "auditevent", "callrecord")
Progress = Callable[[int, int], None]
"""Told how many rows are done, of how many."""


@dataclass
class Report:
    """What was looked at, and what was wrong. Of `leaves`, `sealed` are covered by a seal, the rest is pending."""

    findings: list[Finding] = field(default_factory=list)
    wrong: int = 0
    calls: Counts = field(default_factory=Counts)
    events: int = 0
    policies: dict[str, int] = field(default_factory=dict)
    chains: int = 0
    leaves: int = 0
    sealed: int = 0
    removed: int = 0
    seals: int = 0
    last_seal: Seal | None = None
    anchored: int | None = None
    bodies: int | None = None

    @property
    def first(self) -> Finding | None:
        """The oldest of what is wrong; what has no time comes last."""
        late = datetime.max.replace(tzinfo=UTC)
        return min(self.findings, key=lambda finding: finding.at or late, default=None)

    def note(self, finding: Finding) -> None:
        self.wrong += 1
        if len(self.findings) < MOST:
            self.findings.append(finding)


class Verification:
    """One run over a snapshot. `keys` are the public keys whose signatures count."""

    def __init__(self, snapshot: Snapshot, keys: Collection[bytes], progress: Progress | None = None) -> None:
        self._report = Report()
        self._snapshot = snapshot
        self._seals = SealWalk(keys, self._report.note)
        self._events = AuditWalk(self._walk, keys, self._report.note)
        self._gone = removed_events(snapshot, keys)
        self._walks: dict[str, Walk] = {}
        self._progress = progress or (lambda done, total: None)
        self._done = 0
        self._total = 0

    def run(self, anchor: Anchor | None = None, with_bodies: bool = False) -> Report:
        """Raises DatabaseAway, and OSError where the anchor cannot be read."""
        tables = (*_TABLES, "blob") if with_bodies else _TABLES
        counts = [self._snapshot.read(f"SELECT count(*) FROM observability_{table}") for table in tables]  # noqa: S608
        self._total = sum(count for [(count,)] in counts)
        self._read_seals()
        if anchor is not None:
            self._report.anchored = self._seals.compare(anchor.read())
        self._read_events()
        self._report.policies = policies.verify(self._snapshot, self._events.vouched, self._report.note)
        self._read_calls(BodyCheck(self._snapshot, self._report.note) if with_bodies else None)
        self._end_walks()
        return self._report

    def _read_seals(self) -> None:
        for page in self._snapshot.table("observability_seal", ("number", "line"), "number"):
            for row in page:
                self._seals.add(row["number"], row["line"])
            self._report.seals += len(page)
            self._advance(len(page))
        self._report.last_seal = self._seals.last

    def _read_events(self) -> None:
        for page in self._snapshot.table("observability_auditevent", audit.COLUMNS, "id", times=audit.TIMES):
            for row in page:
                self._events.add(row)
            self._report.events += len(page)
            self._advance(len(page))

    def _read_calls(self, bodies: BodyCheck | None) -> None:
        calls = CallWalk(self._walk, self._events.erased, self._report.note)
        for looked_at in calls.verify(self._snapshot, bodies.check if bodies else None):
            self._advance(looked_at)
        self._report.calls = calls.counts
        if bodies:
            for looked_at in bodies.blobs():
                self._advance(looked_at)
            self._report.bodies = bodies.bodies

    def _end_walks(self) -> None:
        heads = self._snapshot.read("SELECT name, sequence FROM observability_chainhead")
        published = {name: int(sequence) for name, sequence in heads}
        for name in {*self._seals.marks, *published, *self._events.removed}:
            self._walk(name)
        for name, walk in self._walks.items():
            walk.end(published.get(name, 0))
            self._report.chains += 1
            self._report.leaves += walk.length
            self._report.sealed += walk.sealed
            self._report.removed += walk.removed

    def _walk(self, name: str) -> Walk:
        """That of a chain; the tombstones of calls are known once the audit events are read."""
        if (walk := self._walks.get(name)) is None:
            gaps = self._gone if name == CHAIN else self._events.removed.get(name, ())
            walk = self._walks[name] = Walk(name, self._report.note, self._seals.marks.get(name, ()), gaps)
        return walk

    def _advance(self, rows: int) -> None:
        self._done += rows
        self._progress(self._done, self._total)
