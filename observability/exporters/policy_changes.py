"""Who changed which policy. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from observability.text import json_text

from .base import Chart, Column, EventExporter, Fields, Row


class PolicyChanges(EventExporter):
    name = "policy_changes"
    title = "Changes of policies"
    about = "Who made which version of which policy, and who put it in force, when."
    actions = ("policy.",)
    columns = (Column("At", "time"), Column("Who"), Column("Did"), Column("Policy"), Column("Details"))
    charts = (Chart("Changes by person", "Who"), Chart("Changes by policy", "Policy"), Chart("Changes a day", "At"))

    def rows(self, event: Fields) -> Iterator[Row]:
        did = event["action"].partition(".")[2].replace("_", " ")
        yield event["at"], event["actor"], did, event["subject"], told(event["detail"])


def told(detail: Fields) -> str:
    """What an event says beside its subject, as `name: value, ...`."""
    said = ((name, value if isinstance(value, str) else json_text(value)) for name, value in detail.items())
    return ", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in said)
