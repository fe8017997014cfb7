"""Reports that may quote what is erased."""

from __future__ import annotations

from datetime import datetime

from observability.reports import asking
from observability.reports.models import Report

from .purge import ACTOR

WITHDRAWN = "report.withdrawn"


def withdraw(first: datetime, last: datetime) -> int:
    """Delete every report with bodies whose period meets `first` to `last`, and stop those that are being built.

    Which calls one has is not known without reading it, so that one may go that had nothing to do with it.
    Returns how many.
    """
    there = Report.objects.filter(contents=True, gone_at=None)
    quoting = list(there.filter(since__lte=last, until__gte=first).select_related("job"))
    for report in quoting:
        if not report.is_over:
            asking.cancel(report, actor=ACTOR)
        asking.discard(report, actor=ACTOR, action=WITHDRAWN)
    return len(quoting)
