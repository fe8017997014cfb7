import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import zstandard

from luthien_site.proofs.ledger import Claim, Ledger
from luthien_site.proofs.received import Received, ReceivedTool
from observability.bodies import packing, recipes
from observability.rows.statements import Statement

BODY = b"data: the answer\n\n"
TOOL = ReceivedTool("tool_1", "run", '{"command": "make"}')
BLOCK = ("tool_1", "run", hashlib.sha256(TOOL.arguments.encode()).digest())


def digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


class Rows:
    """A database that knows one call, with a row a table."""

    patience = 1.0

    def __init__(
        self,
        *,
        outcome: str = "finished",
        final: bytes | None = BODY,
        blocks: Sequence[Any] = (),
        packed: bytes | None = None,
    ) -> None:
        self.tables: dict[str, list[tuple[Any, ...]]] = {
            "callrecord": [(outcome, None, None, None, digest(final) if final is not None else None, None, packed)],
            "block": list(blocks),
            "blob": [(False, zstandard.ZstdCompressor().compress(final))] if final is not None else [],
        }

    def read(self, sql: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        return self.tables[sql.split("observability_")[1].split()[0]]

    def write(self, statements: Sequence[Statement]) -> int:
        raise AssertionError("a proof writes nothing")

    def time(self, value: datetime | None) -> datetime | None:
        return value

    def twin(self) -> "Rows":
        return self

    def close(self) -> None:
        pass


def missing(rows: Rows, body: bytes = BODY, *, complete: bool = True, tools: Sequence[ReceivedTool] = ()) -> list[str]:
    return Ledger(rows).missing(Claim("call_1", True, body, Received(complete, list(tools))))


def test_a_whole_answer_whose_bytes_are_on_record_misses_nothing() -> None:
    assert missing(Rows(), tools=[TOOL]) == []


def test_an_answer_may_stand_in_its_calls_row() -> None:
    rows = Rows(packed=packing.pack([(3, recipes.encode([BODY]))], zstandard.ZstdCompressor()))
    rows.tables["blob"] = []
    assert missing(rows) == []


def test_a_call_on_no_record_is_told() -> None:
    rows = Rows()
    rows.tables["callrecord"] = []
    assert missing(rows) == ["call_1 reached a client and is on no record"]


def test_a_whole_answer_must_be_on_record_as_finished() -> None:
    assert "whole and is on record as interrupted" in missing(Rows(outcome="interrupted"))[0]


def test_a_whole_answer_must_be_on_record_to_the_byte() -> None:
    assert "does not hold the bytes" in missing(Rows(final=b"another"))[0]
    assert "does not hold the bytes" in missing(Rows(final=None))[0]
    damaged = Rows()
    damaged.tables["blob"] = []
    assert "does not hold the bytes" in missing(damaged)[0]


def test_a_tool_call_of_a_torn_answer_must_have_its_block() -> None:
    torn = {"complete": False, "tools": [TOOL]}
    assert missing(Rows(outcome="interrupted", final=None, blocks=[BLOCK]), **torn) == []  # type: ignore[arg-type]
    assert "tool_1 reached a client" in missing(Rows(outcome="interrupted", final=None), **torn)[0]  # type: ignore[arg-type]
    changed = (*BLOCK[:2], digest(b"{}"))
    assert missing(Rows(outcome="interrupted", final=None, blocks=[changed]), **torn) != []  # type: ignore[arg-type]


def test_a_torn_answer_of_which_the_whole_is_on_record_misses_nothing() -> None:
    assert missing(Rows(), BODY[:5], complete=False, tools=[TOOL]) == []


def test_a_call_that_stands_behind_one_that_ended_later_is_out_of_order() -> None:
    rows = Rows()
    rows.tables["callrecord"] = [("boot_a", 1, "10:01"), ("boot_a", 2, "10:00"), ("boot_b", 1, "09:00")]
    assert Ledger(rows).out_of_order() == ["leaf 2 of boot_a stands behind one that is younger"]
