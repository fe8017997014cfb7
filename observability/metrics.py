"""The series at `/metrics`.

With PROMETHEUS_MULTIPROC_DIR set before the first import, the processes of one host add up their series in that folder
and any of them answers for all; else a process answers for itself.
"""

from __future__ import annotations

import os
from functools import cache

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from policies.verdicts import Mode

from .text import clean_name

CONTENT_TYPE = CONTENT_TYPE_LATEST

_SECONDS = (0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
_OVERHEAD = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1)

calls = Counter("luthien_calls", "Calls that ended, by outcome.", ("dialect", "outcome"))
errors = Counter("luthien_errors", "Calls that ended in an error, by its kind.", ("dialect", "kind"))
call_seconds = Histogram("luthien_call_seconds", "From a request's arrival to its end.", ("dialect",), buckets=_SECONDS)
overhead_seconds = Histogram(
    "luthien_overhead_seconds", "Luthien's own part of a call: neither the provider nor verdicts.", buckets=_OVERHEAD
)
verdicts = Counter("luthien_verdicts", "Verdicts of policies.", ("policy", "action"))
unjudged_releases = Counter(
    "luthien_unjudged_releases", "What passed without the verdict that it needed, because a policy failed open."
)
fail_open = Counter("luthien_fail_open", "Verdicts that failed where the activation lets traffic through.", ("policy",))
record_lag = Gauge(
    "luthien_record_lag_seconds", "Age of the oldest entry that waits to be durable.", multiprocess_mode="livemax"
)
record_queue = Gauge("luthien_record_queue", "Entries that wait to be durable.", multiprocess_mode="livesum")
uncounted_processes = Gauge(
    "luthien_uncounted_processes",
    "Other gateway processes that count limits for themselves, because there is no Redis.",
    multiprocess_mode="livemax",
)
spill_bytes = Gauge(
    "luthien_spill_bytes", "Size of the journal of what the database does not have yet.", multiprocess_mode="livesum"
)
records_refused = Counter("luthien_records_refused", "Calls that could not begin because the record was full.")
last_seal = Gauge(
    "luthien_last_seal_timestamp_seconds", "When this process last sealed the record.", multiprocess_mode="max"
)
calls_unrecorded = Counter("luthien_calls_unrecorded", "Calls that `async` had no room to record.")
records_lost = Counter("luthien_records_lost", "Entries that could not be written at all.")


def call_ended(dialect: str, outcome: str, error_kind: str, total_ms: float | None, overhead_ms: float | None) -> None:
    """Count one call. Times are in milliseconds."""
    call_series, duration = _of_dialect(dialect, outcome)
    call_series.inc()
    if error_kind:
        errors.labels(dialect, clean_name(error_kind)).inc()
    if total_ms is not None:
        duration.observe(total_ms / 1000)
    if overhead_ms is not None:
        overhead_seconds.observe(overhead_ms / 1000)


def decided(policy: str, action: str, mode: Mode = "enforce") -> None:
    """Count one verdict. One that failed open has let something pass unjudged, unless it was of a shadow policy."""
    _of_verdict(policy, action).inc()
    if action == "failed_open":
        fail_open.labels(clean_name(policy)).inc()
        if mode == "enforce":
            unjudged_releases.inc()


def render() -> bytes:
    """All series in Prometheus' text format."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


@cache
def _of_dialect(dialect: str, outcome: str) -> tuple[Counter, Histogram]:
    return calls.labels(dialect, outcome), call_seconds.labels(dialect)


@cache
def _of_verdict(policy: str, action: str) -> Counter:
    return verdicts.labels(clean_name(policy), action)
