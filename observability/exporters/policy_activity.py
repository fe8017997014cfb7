"""What policies decided. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from .base import CALL_FILTERS, CallExporter, Chart, Column, RecordedCall, Row

_PASSED = frozenset({"allow", "not_reached", "asked"})


class PolicyActivity(CallExporter):
    name = "policy_activity"
    title = "Policy activity"
    about = "Each time a policy did something: which, in which call, why, and how long it took."
    accepts = CALL_FILTERS
    judged = True
    columns = (
        Column("At", "time"),
        Column("Policy"),
        Column("Version", "number"),
        Column("Mode"),
        Column("Decision"),
        Column("Reason"),
        Column("Hook"),
        Column("Block"),
        Column("Score", "number"),
        Column("Took", "ms"),
        Column("Call"),
        Column("Team"),
        Column("Key"),
        Column("Model"),
    )
    charts = (
        Chart("Decisions by policy", "Policy"),
        Chart("Decisions by kind", "Decision"),
        Chart("Decisions a day", "At"),
    )

    def rows(self, call: RecordedCall) -> Iterator[Row]:
        """A row for each decision that changed something or failed; for the others too where they are asked for."""
        row = call.row
        for each in call.decisions:
            if not self._counts(each["policy"], each["action"]):
                continue
            yield (
                *(row["started_at"], each["policy"], each["version"], each["mode"], each["action"], each["reason"]),
                *(each["hook"], each["block"], each["score"], each["took_ms"]),
                *(row["id"], row["team"], row["key"], row["model"]),
            )

    def _counts(self, policy: str, action: str) -> bool:
        if policy != self.filters.get("policy", policy):
            return False
        wanted = self.filters.get("action")
        return action == wanted if wanted else action not in _PASSED
