"""What was used, and what it cost. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time
from typing import Any

from .base import CALL_FILTERS, STOPPING, CallExporter, Chart, Column, RecordedCall, Row

_SUMMED = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "cost_microdollars")
_JUDGES = 2 + len(_SUMMED)


class Usage(CallExporter):
    name = "usage"
    title = "Usage and cost"
    about = "Calls, tokens and cost of each day, by team, key and model; what judges cost stands apart."
    accepts = CALL_FILTERS
    has_contents = False
    columns = (
        Column("Day", "time"),
        Column("Team"),
        Column("Key"),
        Column("Model"),
        Column("Calls", "number"),
        Column("Blocked", "number"),
        Column("Input tokens", "number"),
        Column("Output tokens", "number"),
        Column("Cache read tokens", "number"),
        Column("Cache write tokens", "number"),
        Column("Cost", "dollars"),
        Column("Cost of judges", "dollars"),
    )
    charts = (
        Chart("Cost by team", "Team", "Cost"),
        Chart("Cost by model", "Model", "Cost"),
        Chart("Calls by team", "Team", "Calls"),
        Chart("Cost a day", "Day", "Cost"),
    )

    def __init__(self, filters: Any = None) -> None:
        super().__init__(filters)
        self._day: datetime | None = None
        self._sums: dict[tuple[str, str, str], list[int]] = {}

    def rows(self, call: RecordedCall) -> Iterator[Row]:
        """The rows of a day, once a call of the next one has come: no more than a day is ever kept."""
        row = call.row
        day = datetime.combine(row["started_at"].astimezone(UTC).date(), time(), UTC)
        if day != self._day:
            yield from self.last_rows()
            self._day = day
        sums = self._sums.setdefault((row["team"], row["key"], row["model"]), [0] * (_JUDGES + 1))
        sums[0] += 1
        sums[1] += any(each["mode"] == "enforce" and each["action"] in STOPPING for each in call.decisions)
        for place, name in enumerate(_SUMMED, start=2):
            sums[place] += row[name] or 0
        sums[_JUDGES] += sum((each["evidence"] or {}).get("cost_microdollars") or 0 for each in asked(call))

    def last_rows(self) -> Iterator[Row]:
        for names, sums in sorted(self._sums.items()):
            yield self._day, *names, *sums
        self._sums.clear()


def asked(call: RecordedCall) -> Iterator[Any]:
    """The questions to judges."""
    return (each for each in call.decisions if each["hook"] == "ask")
