"""What the writer knows of the blobs that are stored already, so that it sends only what is new. One thread uses it."""

from __future__ import annotations

from collections import OrderedDict, deque
from datetime import datetime, timedelta
from typing import NamedTuple

import zstandard

from . import payloads, recipes
from .payloads import Body, Plan
from .recipes import Part, Slice

TRUST = timedelta(hours=12)
"""How long a blob that was written or touched counts as there; the collector leaves it alone for twice as long."""
QUICK_BELOW = 64 * 1024
"""Bytes below which zstd's level 3 takes twice the time of level 1 and saves nothing."""
KNOWN_LIMIT = 100_000
PARENT_BYTES = 64 * 1024 * 1024
PARENTS_A_SESSION = 4


class NewBlob(NamedTuple):
    """A row to upsert; `targets` are the digests that a recipe needs."""

    digest: bytes
    recipe: bool
    data: bytes
    size: int
    targets: frozenset[bytes] = frozenset()


class Shelf:
    """Turns bodies into rows. What it handed out counts as stored until `forget` says otherwise."""

    def __init__(self) -> None:
        self.quick = zstandard.ZstdCompressor(level=1)
        self._thorough = zstandard.ZstdCompressor(level=3)
        self._known: OrderedDict[bytes, datetime] = OrderedDict()
        self._parents: OrderedDict[str, deque[Body]] = OrderedDict()
        self._parent_bytes = 0

    def put(self, raw: bytes, now: datetime, session: str = "") -> tuple[bytes, list[NewBlob]]:
        """The name of `raw`, and the rows that are not stored yet, each after those it refers to.

        Bodies of one `session` (any text that names a conversation; empty: none) are looked through for a parent.
        """
        digest = recipes.name(raw)
        stored = self._trusted(digest, now)
        if not session:
            return digest, [] if stored else [self._row(digest, raw, now)]
        bodies = self._parents.get(session, ())
        if stored and any(body.digest == digest for body in bodies):
            return digest, []
        plan = payloads.plan(raw, [body for body in bodies if self._trusted(body.digest, now)], digest)
        self._remember(session, plan.body)
        return digest, [] if stored else self._rows(plan, now)

    def forget(self, blobs: list[NewBlob]) -> None:
        """These rows were not written after all."""
        for blob in blobs:
            self._known.pop(blob.digest, None)

    def _rows(self, plan: Plan, now: datetime) -> list[NewBlob]:
        digest, raw = plan.body.digest, plan.body.raw
        if not plan.pieces:
            return [self._row(digest, raw, now)]
        parts = [piece for piece in plan.pieces if isinstance(piece, Part)]
        rows = [
            self._row(part.digest, raw[part.start : part.end], now)
            for part in {part.digest: part for part in parts}.values()
            if not self._trusted(part.digest, now)
        ]
        recipe = recipes.encode(plan.pieces)
        targets = frozenset(piece.digest for piece in plan.pieces if isinstance(piece, Part | Slice))
        rows.append(self._row(digest, recipe, now)._replace(recipe=True, size=len(raw), targets=targets))
        return rows

    def _row(self, digest: bytes, content: bytes, now: datetime) -> NewBlob:
        self._known[digest] = now
        if len(self._known) > KNOWN_LIMIT:
            self._known.popitem(last=False)
        compressor = self.quick if len(content) < QUICK_BELOW else self._thorough
        return NewBlob(digest, False, compressor.compress(content), len(content))

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
