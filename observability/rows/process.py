"""Which gateway process owns a call: a boot id with a heartbeat in the database, and how far its chain has come."""

from __future__ import annotations

import os
import secrets
import socket
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from .chain import Mark
from .database import Database
from .statements import Statement

HEARTBEAT_SECONDS = 2.0
_NUMBERS = Path("/proc/self/ns/pid")
_BOOT = Path("/proc/sys/kernel/random/boot_id")

_REGISTER = (
    "INSERT INTO observability_process (boot_id, host, pid, started_at, heartbeat_at, ended_at) "
    "VALUES (?, ?, ?, ?, ?, NULL) ON CONFLICT (boot_id) DO NOTHING"
)
_BEAT = "UPDATE observability_process SET heartbeat_at = ? WHERE boot_id = ? AND ended_at IS NULL"
_END = "UPDATE observability_process SET ended_at = ? WHERE boot_id = ? AND ended_at IS NULL"
PUBLISH = (
    "INSERT INTO observability_chainhead (name, sequence, chain, sealed, sealed_chain, settled) "
    "VALUES (?, ?, ?, 0, ?, ?) ON CONFLICT (name) DO UPDATE SET sequence = excluded.sequence, chain = excluded.chain, "
    "settled = excluded.settled WHERE observability_chainhead.sequence <= excluded.sequence"
)
"""Tell the sealer where a chain stands: name, sequence, chain, empty bytes, whether it has ended there."""


class Ownership:
    """This process's claim on the calls it serves. It beats before anything is written, so that a process which was
    taken for dead while it slept learns of it before it releases what nobody recorded."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.host = _host()
        self.renew()

    def renew(self) -> None:
        """A claim of its own, not yet registered."""
        self.boot_id = f"boot_{secrets.token_hex(12)}"
        self.since: float | None = None
        self._beaten = 0.0
        self._published = 0

    @property
    def age(self) -> float:
        """Seconds for which the claim has been kept without a gap."""
        return 0.0 if self.since is None else time.monotonic() - self.since

    def keep(self, head: Mark, must: bool = False) -> bool:
        """Register or beat, where it is due, or it `must` be.

        False: another process took this one for dead. Raises DatabaseAway.

        `head` is where this process's chain stands in the database.
        """
        now = time.monotonic()
        if self._beaten and not must and now - self._beaten < HEARTBEAT_SECONDS:
            return True
        at = self._database.time(datetime.now(UTC))
        if not self._beaten:
            self._database.write([(_REGISTER, [(self.boot_id, self.host, os.getpid(), at, at)])])
        elif not self._database.write([*self._head(head), (_BEAT, [(at, self.boot_id)])]):
            return False
        else:
            self._published = head[0]
        if self.since is None or now - self._beaten > 2 * HEARTBEAT_SECONDS:
            self.since = now
        self._beaten = now
        return True

    def end(self, head: Mark) -> None:
        """The process leaves in good order; its chain ends at `head`."""
        if self._beaten:
            at = self._database.time(datetime.now(UTC))
            self._published = 0
            self._database.write([*self._head(head, settled=True), (_END, [(at, self.boot_id)])])

    def _head(self, head: Mark, settled: bool = False) -> list[Statement]:
        sequence, chain = head
        if sequence <= self._published:
            return []
        return [(PUBLISH, [(self.boot_id, sequence, chain, b"", settled)])]


def _host() -> str:
    """Where a process can be looked for by its number: containers of one name have numbers of their own."""
    with suppress(OSError):
        return f"{socket.gethostname()} {_NUMBERS.stat().st_ino} {_BOOT.read_text().strip()}"
    return socket.gethostname()
