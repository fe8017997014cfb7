"""One call's entries on their way to the writer."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from observability.credentials import without_secrets
from observability.rows.chain import NONCE_BYTES
from observability.rows.entries import CallFacts, Closing, Entry, Opening
from observability.rows.statements import PAYLOADS

from . import tap
from .entropy import random_bytes
from .waiting import Waiter
from .writer import Writer

OPENING_SECONDS = 0.02
"""How long an opening may be put off: a call that is over by then is written once."""


class Handover:
    """`policies` are those that judge the call, as its opening names them: it is made when it is first needed.

    Once told to `wait`, it hands the opening over when that is asked for, or with what comes next.
    """

    def __init__(self, writer: Writer, facts: CallFacts) -> None:
        self.policies = ""
        self._writer = writer
        self._facts = facts
        self.started_at = datetime.now(UTC)
        self._made: Opening | None = None
        self._put_off: asyncio.TimerHandle | None = None
        self._opened: Waiter | None = None
        self._waits = self._is_gone = False

    @property
    def in_doubt(self) -> bool:
        return not self._writer.healthy

    @property
    def opening(self) -> Opening:
        if self._made is None:
            facts = self._facts
            truncated = ["request_original"] if len(facts.request_body) > tap.BODY_LIMIT else []
            facts.request_body = facts.request_body[: tap.BODY_LIMIT]
            facts.path = without_secrets(facts.path)
            nonces = random_bytes(NONCE_BYTES * len(PAYLOADS))
            self._made = Opening(facts, self.policies, self._writer.boot_id, self.started_at, nonces, truncated)
        return self._made

    def wait(self) -> None:
        """Put the opening off until it is asked for, unless it is gone already."""
        self._no_longer()
        self._waits = not self._is_gone

    def open(self, *, soon: bool) -> None:
        """Hand over the opening now, or within OPENING_SECONDS. Raises RecordUnavailable where no call may begin."""
        self._writer.admit(self.opening)
        if soon and not self._waits:
            self._open()
        elif not self._waits:
            self._put_off = asyncio.get_running_loop().call_later(OPENING_SECONDS, self._open)

    async def opened(self, *, now: bool = False) -> None:
        """Returns once the opening is durable; at once while it is put off, unless that is to end `now`.

        Raises RecordUnavailable.
        """
        if self._waits or (now and self._put_off is not None):
            self._open()
        if self._opened is not None:
            await self._opened.wait()

    def submit(self, entry: Entry) -> Waiter | None:
        """What follows the opening, which goes ahead of it; nothing of a call that `async` had to leave out."""
        if self._waits or self._put_off is not None:
            self._no_longer()
            if not isinstance(entry, Closing):  # that one holds the opening, too
                self._open()
        return None if self.opening.is_dropped else self._writer.submit(entry)

    def withhold_request(self) -> bool:
        """Keep the client's request off the record; whether that is still to be had."""
        if self._waits:
            self.opening.withhold()
        return self._waits

    def _open(self) -> None:
        self._no_longer()
        self._is_gone = True
        self._opened = self.submit(self.opening)

    def _no_longer(self) -> None:
        self._waits = False
        if self._put_off is not None:
            self._put_off.cancel()
            self._put_off = None
