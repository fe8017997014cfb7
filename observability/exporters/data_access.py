"""Who saw what clients and models said. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from .base import Chart, Column, EventExporter, Fields, Row
from .policy_changes import told


class DataAccess(EventExporter):
    name = "data_access"
    title = "Access to data"
    about = (
        "Who opened the bodies of which call or session, used them in a replay or backtest, or put them in a report."
    )
    actions = ("call.", "session.viewed", "backtest.", "report.")
    columns = (Column("At", "time"), Column("Who"), Column("Did"), Column("What"), Column("Details"))
    charts = (Chart("Access by person", "Who"), Chart("Access by kind", "Did"), Chart("Access a day", "At"))

    def rows(self, event: Fields) -> Iterator[Row]:
        did = event["action"].replace(".", " ").replace("_", " ")
        yield event["at"], event["actor"], did, event["subject"], told(event["detail"])
