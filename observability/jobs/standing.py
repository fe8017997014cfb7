"""How the record and those who work on it stand, as the page of jobs tells it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from prometheus_client.parser import text_string_to_metric_families

from observability import metrics
from observability.figures.seldom import Seldom
from observability.models import Process, Seal, Turn, Worker
from observability.recovery.journal import bytes_waiting as _bytes_in

from . import workers


@dataclass(frozen=True, slots=True)
class Standing:
    """`queue` (entries) and `lag` (seconds) are of the gateways of this host; `waiting` are bytes on its disk.

    `beat` is when a worker last began what beat asks for again and again.
    """

    queue: int
    lag: float
    waiting: int
    last_seal: datetime | None
    gateways: int
    workers: list[Worker]
    beat: datetime | None


def standing() -> Standing:
    """Now."""
    said = {
        sample.name: sample.value
        for family in text_string_to_metric_families(metrics.render().decode())
        if family.name in ("luthien_record_queue", "luthien_record_lag_seconds")
        for sample in family.samples
    }
    return Standing(
        queue=int(said.get("luthien_record_queue", 0)),
        lag=said.get("luthien_record_lag_seconds", 0.0),
        waiting=bytes_waiting(),
        last_seal=Seal.objects.order_by("-number").values_list("at", flat=True).first(),
        gateways=Process.objects.alive().count(),
        workers=list(workers.alive()),
        beat=Turn.objects.filter(name="look_after_jobs").values_list("at", flat=True).first(),
    )


def bytes_waiting() -> int:
    """How much waits on this host's disk for the database, as of a moment ago."""
    return _waiting.value()


_waiting: Seldom[int] = Seldom(lambda: _bytes_in(Path(settings.LUTHIEN_DATA_DIR) / "spill"), meanwhile=0)
