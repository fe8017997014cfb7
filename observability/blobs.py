"""What the writer knows of the blobs that are stored already, so that it sends only what is new. One thread uses it."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import zstandard

from . import payloads
from .payloads import Body, Part, Piece, Slice

TRUST = timedelta(hours=12)
"""How long a blob that was written or touched counts as there; the collector leaves it alone for twice as long."""
QUICK_BELOW = 64 * 1024
"""Bytes below which zstd's level 3 takes twice the time of level 1 and saves nothing."""
KNOWN_LIMIT = 100_000
PARENT_BYTES = 64 * 1024 * 1024
PARENTS_A_SESSION = 4


@dataclass(frozen=True, slots=True)
class NewBlob:
    """A row to upsert; `targets` are the digests that a recipe needs."""

    digest: bytes
    recipe: bool
    data: bytes
    size: int
    targets: frozenset[bytes] = frozenset()


class Shelf:
    """Turns bodies into rows. What it handed out counts as stored until `forget` says otherwise."""

    def __init__(self) -> None:
        self._quick = zstandard.ZstdCompressor(level=1)
        self._thorough = zstandard.ZstdCompressor(level=3)
        self._known: OrderedDict[bytes, datetime] = OrderedDict()
        self._parents: OrderedDict[str, deque[Body]] = OrderedDict()
        self._parent_bytes = 0

    def put(self, raw: bytes, now: datetime, session: str = "") -> tuple[bytes, list[NewBlob]]:
        """The name of `raw`, and the rows that are not stored yet, each after those it refers to.

        Bodies of one `session` (any text that names a conversation; empty: none) are looked through for a parent.
        """
        parents = [parent for parent in self._parents.get(session, ()) if self._trusted(parent.digest, now)]
        plan = payloads.plan(raw, parents) if session else payloads.Plan(payloads.whole(raw))
        fresh = [] if self._trusted(plan.body.digest, now) else list(self._rows(plan, now))
        if session:
            self._remember(session, plan.body)
        return plan.body.digest, fresh

    def forget(self, blobs: list[NewBlob]) -> None:
        """These rows were not written after all."""
        for blob in blobs:
            self._known.pop(blob.digest, None)

    def _rows(self, plan: payloads.Plan, now: datetime) -> Iterator[NewBlob]:
        raw = plan.body.raw
        for piece in plan.pieces:
            if isinstance(piece, Part) and not self._trusted(piece.digest, now):
                yield self._row(piece.digest, raw[piece.start : piece.end], now)
        yield self._row(plan.body.digest, raw, now, plan.pieces)

    def _row(self, digest: bytes, raw: bytes, now: datetime, pieces: tuple[Piece, ...] = ()) -> NewBlob:
        self._known[digest] = now
        if len(self._known) > KNOWN_LIMIT:
            self._known.popitem(last=False)
        content = payloads.encode(pieces) if pieces else raw
        data = (self._quick if len(content) < QUICK_BELOW else self._thorough).compress(content)
        targets = frozenset(piece.digest for piece in pieces if isinstance(piece, Part | Slice))
        return NewBlob(digest, bool(pieces), data, len(raw), targets)

    def _trusted(self, digest: bytes, now: datetime) -> bool:
        touched = self._known.get(digest)
        return touched is not None and now - touched < TRUST

    def _remember(self, session: str, body: Body) -> None:
        bodies = self._parents.setdefault(session, deque())
        self._parents.move_to_end(session)
        if any(body.digest == other.digest for other in bodies):
            return
        bodies.append(body)
        self._parent_bytes += len(body.raw)
        if len(bodies) > PARENTS_A_SESSION:
            self._parent_bytes -= len(bodies.popleft().raw)
        while self._parent_bytes > PARENT_BYTES and self._parents:
            _, dropped = self._parents.popitem(last=False)
            self._parent_bytes -= sum(len(old.raw) for old in dropped)
