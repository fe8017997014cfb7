"""Calls of which something was kept from passing. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from .base import STOPPING, CallExporter, Chart, Column, RecordedCall, Row


class BlockedCalls(CallExporter):
    name = "blocked_calls"
    title = "Blocked calls"
    about = "Each call of which a policy in force kept something from passing, which policy, and why."
    stopped = True
    columns = (
        Column("At", "time"),
        Column("Call"),
        Column("Outcome"),
        Column("Policy"),
        Column("Decision"),
        Column("Reason"),
        Column("Team"),
        Column("Key"),
        Column("Model"),
        Column("Session"),
        Column("Status", "number"),
    )
    charts = (
        Chart("Blocked calls by policy", "Policy"),
        Chart("Blocked calls by team", "Team"),
        Chart("Blocked calls a day", "At"),
    )

    def rows(self, call: RecordedCall) -> Iterator[Row]:
        """One row a call; several policies that stopped it stand in one cell."""
        row = call.row
        stops = [each for each in call.decisions if each["mode"] == "enforce" and each["action"] in STOPPING]
        yield (
            *(row["started_at"], row["id"], row["outcome"]),
            ", ".join(dict.fromkeys(f"{each['policy']}@{each['version']}" for each in stops)),
            ", ".join(dict.fromkeys(each["action"] for each in stops)),
            "; ".join(dict.fromkeys(each["reason"] for each in stops if each["reason"])),
            *(row["team"], row["key"], row["model"], row["session"], row["status"]),
        )
