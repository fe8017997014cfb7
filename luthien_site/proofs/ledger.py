"""What clients received, compared with what is on record: read by plain SQL, past the gateway."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from luthien_site.proofs.received import Received
from observability.bodies import packing
from observability.bodies.decompression import decompress
from observability.bodies.recipes import PayloadDamaged, assemble
from observability.rows.database import Database
from observability.rows.statements import PAYLOADS

_CALL = (
    f"SELECT outcome, {', '.join(PAYLOADS)}, opening_bodies, closing_bodies "  # noqa: S608 (constants)
    "FROM observability_callrecord WHERE id = ?"
)
_BLOCKS = "SELECT tool_call_id, tool_name, content FROM observability_block WHERE call_id = ?"
_BLOB = "SELECT recipe, data FROM observability_blob WHERE digest = ?"
_OUTCOMES = "SELECT outcome, COUNT(*) FROM observability_callrecord GROUP BY outcome ORDER BY outcome"
_OPEN = (
    "SELECT c.id FROM observability_callrecord c LEFT JOIN observability_process p ON p.boot_id = c.process "
    "WHERE c.outcome = 'open' AND (p.pid IS NULL OR p.pid <> ? OR p.ended_at IS NOT NULL)"
)
_UNTOLD = "SELECT id FROM observability_callrecord WHERE outcome <> 'open' AND closed_at IS NULL"
_CHAINS = (
    "SELECT boot_id, sequence, closed_at FROM observability_callrecord "
    "WHERE sequence IS NOT NULL AND outcome <> 'interrupted' ORDER BY boot_id, sequence"
)


@dataclass(frozen=True, slots=True)
class Claim:
    """A call whose head reached a client, and what it got of the body."""

    call_id: str
    streamed: bool
    body: bytes
    received: Received


class Ledger:
    """The record of one installation."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def missing(self, claim: Claim) -> list[str]:
        """What the client holds and the record lacks, a sentence each."""
        rows = self._database.read(_CALL, (claim.call_id,))
        if not rows:
            return [f"{claim.call_id} reached a client and is on no record"]
        outcome, *digests = rows[0][: 1 + len(PAYLOADS)]
        final = self._final(digests, rows[0][1 + len(PAYLOADS) :])
        # The whole answer on record, of which the client has at least the beginning, holds its tool calls too.
        found = [] if final is not None and final.startswith(claim.body) else self._missing_tools(claim)
        if claim.received.complete:
            if outcome != "finished":
                found.append(f"{claim.call_id} reached a client whole and is on record as {outcome}")
            if final != claim.body:
                found.append(f"{claim.call_id}: the record does not hold the bytes that the client got")
        return found

    def orphans(self, pid: int) -> list[str]:
        """Open calls that the living gateway process `pid` does not own."""
        return [row[0] for row in self._database.read(_OPEN, (pid,))]

    def outcomes(self) -> dict[str, int]:
        """How many calls there are of each outcome."""
        return {row[0]: int(row[1]) for row in self._database.read(_OUTCOMES)}

    def unclosed(self) -> list[str]:
        """Calls with an outcome and no end."""
        return [row[0] for row in self._database.read(_UNTOLD)]

    def out_of_order(self) -> list[str]:
        """Calls that stand in their chain behind one that ended after them."""
        chains = self._database.read(_CHAINS)
        return [
            f"leaf {sequence} of {boot_id} stands behind one that is younger"
            for (before_id, _, before), (boot_id, sequence, closed_at) in pairwise(chains)
            if before_id == boot_id and closed_at < before
        ]

    def close(self) -> None:
        """The next question connects anew."""
        self._database.close()

    def _missing_tools(self, claim: Claim) -> list[str]:
        rows = self._database.read(_BLOCKS, (claim.call_id,)) if claim.received.tools else []
        recorded = {(row[0], row[1], bytes(row[2] or b"")) for row in rows}
        return [
            f"{claim.call_id}: the tool call {tool.id} reached a client and is on no record"
            for tool in claim.received.tools
            if (tool.id, tool.name, hashlib.sha256(tool.arguments.encode()).digest()) not in recorded
        ]

    def _final(self, digests: Sequence[bytes | None], packs: Sequence[bytes | None]) -> bytes | None:
        """The answer as the client got it."""
        final = digests[PAYLOADS.index("response_final")]
        if final is None:
            return None
        try:
            packed = packing.recipes(digests, packs)
            return assemble(bytes(final), lambda name: (True, packed[name]) if name in packed else self._blob(name))
        except PayloadDamaged:
            return None

    def _blob(self, digest: bytes) -> tuple[bool, bytes]:
        rows = self._database.read(_BLOB, (digest,))
        if not rows:
            raise PayloadDamaged("a blob is missing")
        return bool(rows[0][0]), decompress(bytes(rows[0][1]))
