"""The reports there are, by name. A further one is a class in a file of its own, and a line here. Pure."""

from __future__ import annotations

from .base import CallExporter, EventExporter
from .blocked_calls import BlockedCalls
from .calls import Calls
from .data_access import DataAccess
from .policy_activity import PolicyActivity
from .policy_changes import PolicyChanges
from .usage import Usage

__all__ = ["EXPORTERS", "BlockedCalls", "Calls", "DataAccess", "PolicyActivity", "PolicyChanges", "Usage"]

EXPORTERS: dict[str, type[CallExporter] | type[EventExporter]] = {
    exporter.name: exporter for exporter in (PolicyActivity, BlockedCalls, PolicyChanges, DataAccess, Usage, Calls)
}
