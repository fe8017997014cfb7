"""Every call. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from .base import CallExporter, Chart, Column, RecordedCall, Row


class Calls(CallExporter):
    name = "calls"
    title = "Calls"
    about = "Every call that ended: who made it, to which model, what became of it, what it used."
    columns = (
        Column("At", "time"),
        Column("Call"),
        Column("Team"),
        Column("Key"),
        Column("Session"),
        Column("Model"),
        Column("Provider"),
        Column("Outcome"),
        Column("Status", "number"),
        Column("Error"),
        Column("Policies"),
        Column("Request changed"),
        Column("Answer changed"),
        Column("Input tokens", "number"),
        Column("Output tokens", "number"),
        Column("Cost", "dollars"),
        Column("Took", "ms"),
    )
    charts = (
        Chart("Calls by outcome", "Outcome"),
        Chart("Calls by team", "Team"),
        Chart("Calls by model", "Model"),
        Chart("Calls a day", "At"),
    )

    def rows(self, call: RecordedCall) -> Iterator[Row]:
        row = call.row
        yield (
            *(row["started_at"], row["id"], row["team"], row["key"], row["session"], row["model"], row["provider"]),
            *(row["outcome"], row["status"], row["error_kind"], row["policies"]),
            *("yes" if row[name] else "no" for name in ("changed_request", "changed_response")),
            *(row["input_tokens"], row["output_tokens"], row["cost_microdollars"], row["total_ms"]),
        )
