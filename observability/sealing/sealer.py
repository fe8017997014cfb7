"""The sealer: a thread of each gateway process, of which one at a time seals; the others find nothing left to do.

What locks is the number of the next seal: the database takes it once. Every process copies all seals to its own anchor.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from observability import metrics
from observability.rows.database import Database, DatabaseAway, DatabaseRefused

from .anchor import Anchor
from .heads import Head, Heads
from .statement import NotASeal, Seal
from .stragglers import settle

log = structlog.get_logger(__name__)

SEAL_SECONDS = 5.0
SETTLE_ROUNDS = 6
"""In every sixth round chains of dead processes are looked after."""
IDLE = timedelta(hours=1)
"""A seal comes this often also where nothing is new, so that a record that was emptied is not simply young."""
COPIED_AT_ONCE = 1000

_LAST = "SELECT line FROM observability_seal ORDER BY number DESC LIMIT 1"
_AFTER = "SELECT line FROM observability_seal WHERE number > ? ORDER BY number LIMIT ?"
_MOVED = "SELECT name, sequence, chain FROM observability_chainhead WHERE sequence > sealed ORDER BY name"
_SEALED = "SELECT name, sealed, sealed_chain FROM observability_chainhead WHERE sealed > 0"
_INSERT = "INSERT INTO observability_seal (number, at, line) VALUES (?, ?, ?)"
_MARK = "UPDATE observability_chainhead SET sealed = ?, sealed_chain = ? WHERE name = ?"


class Sealer:
    """`round` does what is due; `start` lets a thread call it."""

    def __init__(self, database: Database, key: Ed25519PrivateKey, anchor: Anchor) -> None:
        self._database = database
        self._key = key
        self._anchor = anchor
        self._last: Seal | None = None
        self._heads: Heads | None = None
        self._anchored: int | None = None
        self._rounds = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sealer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Seal once more what is published by now, and end."""
        self._stop.set()
        self._thread.join(timeout)

    def round(self, *, now: datetime | None = None, must: bool = False) -> Seal | None:
        """Seal what is new, unless somebody else just did (`must`: all the same). Raises DatabaseAway."""
        now = now or datetime.now(UTC)
        if self._rounds % SETTLE_ROUNDS == 0:
            settle(self._database)
        self._rounds += 1
        seal = self._seal(now, must)
        self._copy()
        return seal

    def _run(self) -> None:
        while not self._stop.is_set():
            self._try_round()
            self._stop.wait(SEAL_SECONDS)
        self._try_round(must=True)
        self._database.close()

    def _try_round(self, must: bool = False) -> None:
        try:
            self.round(must=must)
        except DatabaseAway:
            log.warning("the database is away; nothing is sealed")
        except Exception:
            log.exception("the record could not be sealed")

    def _seal(self, now: datetime, must: bool) -> Seal | None:
        last = self._newest()
        age = abs(now - last.at) if last else None
        if age is not None and age < timedelta(seconds=SEAL_SECONDS / 2) and not must:
            return None
        moved = [Head(name, int(at), bytes(chain)) for name, at, chain in self._database.read(_MOVED)]
        if not moved and age is not None and age < IDLE:
            return None
        heads = self._known_heads()
        heads.move(moved)
        seal = Seal.make(last, now, heads.root, moved, self._key)
        if not self._store(seal):
            self._heads = None
            return None
        self._last = seal
        metrics.last_seal.set(now.timestamp())
        log.info("sealed", seal=seal.line)
        return seal

    def _newest(self) -> Seal | None:
        """The last seal of the database; what is held of the state before it is only good if it is the last known."""
        found = self._database.read(_LAST)
        try:
            last = Seal.read(found[0][0]) if found else None
        except NotASeal:
            raise RuntimeError("the last seal in the database is none; run verify_audit") from None
        if self._last is not None and (last is None or last.number < self._last.number):
            log.critical("seals are gone from the database: the record was cut; run verify_audit")
        if last is None or self._last is None or last.digest != self._last.digest:
            self._last, self._heads = last, None
        return last

    def _known_heads(self) -> Heads:
        if self._heads is None:
            sealed = self._database.read(_SEALED)
            self._heads = Heads(Head(name, int(at), bytes(chain)) for name, at, chain in sealed)
        return self._heads

    def _store(self, seal: Seal) -> bool:
        """False where another process took the number."""
        marks = [(head.sequence, head.chain, head.name) for head in seal.heads]
        row = (seal.number, self._database.time(seal.at), seal.line)
        try:
            self._database.write([(_INSERT, [row]), (_MARK, marks)] if marks else [(_INSERT, [row])])
        except DatabaseRefused:
            return False
        except DatabaseAway:
            self._heads = None
            raise
        return True

    def _copy(self) -> None:
        """Append to the anchor what it does not have yet."""
        if self._last is None or self._anchored == self._last.number:
            return
        try:
            while seals := self._fresh():
                self._anchor.append(seals)
                self._anchored = seals[-1].number
        except OSError as error:
            log.critical("the anchor cannot be written; seals are in the database and the log alone", error=str(error))

    def _fresh(self) -> list[Seal]:
        assert self._last is not None
        if self._anchored is None:
            self._anchored = self._common()
        if self._anchored > self._last.number:
            self._anchored = self._last.number - 1
        found = self._database.read(_AFTER, (self._anchored, COPIED_AT_ONCE))
        return [Seal.read(line) for (line,) in found]

    def _common(self) -> int:
        """Up to which number anchor and database agree. Where they do not, the anchor goes on from here."""
        last = self._anchor.last()
        if last is None:
            return 0
        found = self._database.read(_AFTER, (last.number - 1, 1))
        if found and Seal.read(found[0][0]).digest == last.digest:
            return last.number
        log.critical("the anchor has seals that the database has not: the record was cut; run verify_audit")
        assert self._last is not None
        return self._last.number - 1


_lock = threading.Lock()
_current: Sealer | None = None


def start() -> None:
    """Let this process seal, if it does not yet."""
    global _current
    from django.conf import settings
    from django.db import connections

    from observability.rows.database import connect

    from .keys import signing_key

    with _lock:
        if _current is None:
            database = connect(connections["default"].settings_dict)
            _current = Sealer(database, signing_key(), Anchor(settings.LUTHIEN_ANCHOR_FILE))
            _current.start()


def stop() -> None:
    """Seal what is there, and end."""
    global _current
    with _lock:
        sealer, _current = _current, None
    if sealer is not None:
        sealer.stop()
