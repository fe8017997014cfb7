"""What a report is: the rows it makes of what is on record, and the charts that sum them up. Pure.

A report is one class. It is given calls, or audit events, the oldest first, one at a time, and yields rows; it never
asks the database, and what it keeps between two of them has to stay small.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Literal, TypeVar

Value = str | int | float | bool | datetime | None
Row = tuple[Value, ...]
Kind = Literal["text", "time", "number", "ms", "dollars"]
Fields = Mapping[str, Any]
T = TypeVar("T")

STOPPING = frozenset({"block", "stop", "refuse", "failed_closed"})
"""Decisions that kept something from passing."""
CALL_FILTERS = ("team", "key", "model", "outcome", "policy", "action")
EVENT_FILTERS = ("actor", "subject")


@dataclass(frozen=True, slots=True)
class Column:
    """`dollars` are millionths of a US dollar, `ms` milliseconds, `time` is in UTC."""

    title: str
    kind: Kind = "text"


@dataclass(frozen=True, slots=True)
class Chart:
    """Rows counted by the value of the column `by`, a day at a time where it is a time; or the column `of` summed."""

    title: str
    by: str
    of: str = ""


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """A closed call with its blocks and decisions, as their columns say it."""

    row: Fields
    blocks: Sequence[Fields]
    decisions: Sequence[Fields]


REDACTED = "(redacted)"


def redacted(call: RecordedCall) -> RecordedCall:
    """The call for eyes that may not see what people and models said: no reason, and of evidence only what it cost."""
    return RecordedCall(call.row, call.blocks, [without_words(each) for each in call.decisions])


def without_words(decision: Fields) -> Fields:
    """A decision's columns without its reason, and with nothing of its evidence but what it cost."""
    cost = (decision["evidence"] or {}).get("cost_microdollars")
    reason = REDACTED if decision["reason"] else ""
    return {**decision, "reason": reason, "evidence": None if cost is None else {"cost_microdollars": cost}}


class Exporter(ABC):
    """One report, being made. `filters` are those that were asked for, by name; empty ones are left out."""

    name: ClassVar[str]
    title: ClassVar[str]
    about: ClassVar[str]
    columns: ClassVar[tuple[Column, ...]]
    charts: ClassVar[tuple[Chart, ...]]
    accepts: ClassVar[tuple[str, ...]]
    """The filters that can be asked for, beside the period."""

    def __init__(self, filters: Mapping[str, str] | None = None) -> None:
        self.filters = dict(filters or {})

    def last_rows(self) -> Iterator[Row]:
        """What is left to say when all has been seen."""
        return iter(())


class CallExporter(Exporter):
    """A report of calls."""

    accepts = CALL_FILTERS
    has_contents: ClassVar[bool] = True
    """Whether what was said may be put beside it; where not, each call's place in the chain is all that is there."""
    stopped: ClassVar[bool] = False
    """Only calls of which a policy in force kept something from passing."""
    judged: ClassVar[bool] = False
    """Only calls that a policy judged."""

    @abstractmethod
    def rows(self, call: RecordedCall) -> Iterator[Row]:
        """The rows that follow from a call."""


class EventExporter(Exporter):
    """A report of audit events: of all those whose action begins with one of `actions`."""

    accepts = EVENT_FILTERS
    actions: ClassVar[tuple[str, ...]]

    @abstractmethod
    def rows(self, event: Fields) -> Iterator[Row]:
        """The rows that follow from an event."""
