"""What processes left that died: their journals are brought home, and then their open calls are closed.

A thread with a connection of its own, because a journal may hold the records of an hour. Only the writer extends the
chain, so it is handed the calls to close.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import structlog

from observability.rows.database import Database, DatabaseAway
from observability.rows.process import Ownership

from .homecoming import bring_home
from .journal import SUFFIX, Abandoned, NotAJournal
from .orphans import Orphan, Orphans

log = structlog.get_logger(__name__)

SEARCH_SECONDS = 10.0
AWAY_SECONDS = 1.0
"""How long to wait for a database that is away."""
LAST_SECONDS = 3.0
"""How long the search that is under way may still take when the process ends."""


class Estate:
    """`take` gives what the writer has to close, `closed` says that it did. `found` is called when there is something.

    Searches at once, and then every SEARCH_SECONDS.
    """

    def __init__(
        self, database: Database, ownership: Ownership, folder: Path | None, found: Callable[[], None]
    ) -> None:
        self._database = database
        self._folder = folder
        self._found = found
        self._orphans = Orphans(database, ownership, self._is_awaited)
        self._offered: list[Orphan] = []
        self._closed = threading.Event()
        self._stopping = threading.Event()
        self._told: set[Path] = set()
        self._thread = threading.Thread(target=self._run, name="record-estate", daemon=True)
        self._ends_at: float | None = None

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Finish the first search, if that does not take long, and end."""
        if self._ends_at is None:
            self._ends_at = time.monotonic() + LAST_SECONDS
            self._stopping.set()

    @property
    def is_over(self) -> bool:
        """Whether it has ended, or what it still does is not worth waiting for."""
        return not self._thread.is_alive() or (self._ends_at is not None and time.monotonic() > self._ends_at)

    def take(self) -> list[Orphan]:
        """Calls to be closed, if there are any; `closed` is due then."""
        offered, self._offered = self._offered, []
        return offered

    def closed(self) -> None:
        self._closed.set()

    def _run(self) -> None:
        while True:
            pause = SEARCH_SECONDS
            try:
                self._search()
            except DatabaseAway:
                pause = AWAY_SECONDS
            except Exception:
                log.exception("what dead processes left could not be looked after")
            if self._stopping.is_set() or self._stopping.wait(pause):
                return self._database.close()

    def _search(self) -> None:
        self._bring_home()
        for orphans in self._orphans.find():
            self._closed.clear()
            self._offered = orphans
            self._found()
            while not self._closed.wait(1.0):
                if self._ends_at is not None and self.is_over:
                    return

    def _bring_home(self) -> None:
        for abandoned in Abandoned.all_in(self._folder) if self._folder else ():
            try:
                bring_home(self._database, abandoned)
            except (NotAJournal, OSError) as error:
                self._leave(abandoned, type(error).__name__)
            except DatabaseAway as error:
                if not self._answers():
                    raise
                self._leave(abandoned, str(error))
            finally:
                abandoned.release()

    def _leave(self, abandoned: Abandoned, reason: str) -> None:
        """The rest of the record does not wait for it."""
        if abandoned.path not in self._told:
            log.critical("a journal cannot be brought home; it stays", path=str(abandoned.path), reason=reason)
            self._told.add(abandoned.path)

    def _answers(self) -> bool:
        try:
            self._database.read("SELECT COUNT(*) FROM observability_process WHERE boot_id = ?", ("",))
        except DatabaseAway:
            return False
        return True

    def _is_awaited(self, boot_id: str) -> bool:
        """Whether the journal of that process is still here: what it says of its calls comes first."""
        path = self._folder / f"{boot_id}{SUFFIX}" if self._folder else None
        return path is not None and path not in self._told and path.exists()
