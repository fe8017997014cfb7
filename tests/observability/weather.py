"""A database that comes and goes, and what tests do with calls meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from django.db import connection

from observability.models import CallRecord
from observability.recording.recorder import CallRecorder
from observability.rows import chain
from observability.rows.chain import Chain
from observability.rows.database import Database, DatabaseAway, DatabaseRefused, connect
from observability.rows.entries import commitments
from observability.rows.statements import PAYLOADS, Statement
from policies.content import ToolCall
from policies.verdicts import Decision

ALLOWED = Decision("p", 1, "enforce", "on_text", "text 0", "allow", score=0.5, evidence={"a": [1, 2.5, None]})


class Weather:
    """A real database that a test can send away, hold up, or make refuse what mentions a word."""

    def __init__(self) -> None:
        self._real = connect(connection.settings_dict)
        self.patience = self._real.patience
        self.away = False
        self.refuses = ""
        self.gate = threading.Event()
        self.gate.set()
        self.transactions: list[int] = []

    def write(self, statements: Sequence[Statement]) -> int:
        self.gate.wait(10)
        if self.away:
            raise DatabaseAway("away")
        if self.refuses and self.refuses in repr(statements):
            raise DatabaseRefused("refused")
        self.transactions.append(sum(len(rows) for _, rows in statements))
        return self._real.write(statements)

    def read(self, sql: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        return self._real.read(sql, parameters)

    def time(self, value: Any) -> Any:
        return self._real.time(value)

    def twin(self) -> Database:
        return self._real.twin()

    def close(self) -> None:
        self._real.close()


async def whole_call(call: CallRecorder) -> None:
    call.open()
    await call.opened()
    call.decide(ALLOWED)
    call.original(b"answer")
    await call.checkpoint([ToolCall("id", "Read", "{}")])
    await call.close("finished", 200)


def verify(boot_id: str) -> int:
    """Recompute a chain from what the database says; returns its length."""
    calls = CallRecord.objects.filter(boot_id=boot_id).order_by("sequence")
    again = Chain(boot_id)
    for row in calls:
        values = {name: getattr(row, name) for name in (*chain.CALL_FIELDS, *PAYLOADS, "nonces")}
        values = {name: bytes(each) if isinstance(each, memoryview) else each for name, each in values.items()}
        blocks = list(row.blocks.order_by("position").values())
        decisions = list(row.decisions.filter(late=False).order_by("position").values())
        assert commitments(values, decisions) == bytes(row.commitments)
        link = again.extend(chain.call_leaf(values, blocks, decisions))
        assert (link.sequence, link.leaf, link.chain) == (row.sequence, bytes(row.leaf or b""), bytes(row.chain or b""))
    return len(calls)
