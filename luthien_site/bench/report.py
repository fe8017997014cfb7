"""What came out: medians, what each server adds, ratios to the peer, and whether the bars are met. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Round = Mapping[str, Mapping[str, float]]
"""The figures of one round of one scenario: a target's name to its figures."""
DIRECT, RELAY, LUTHIEN, PEER = "direct", "relay", "luthien", "litellm"
NO_POLICY, IN_PROCESS = "no policy", "in process"
STACKS = {"1 policy": 1, "3 policies": 3, "10 policies": 10}
"""Gateways by how many policies are in force."""
BLOCKING = "blocking"
MODES = {"async": "async", "off": "off"}
"""Gateways without a policy that record otherwise, by LUTHIEN_RECORD."""

UNITS = {
    "calls_per_s": "calls a second",
    "cpu_us_per_call": "CPU, us a call",
    "ms_p50": "median, ms",
    "ms_p99": "99th percentile, ms",
    "worker_us_per_call": "CPU of the worker, us a call",
    "added_ms_p50": "added, median, ms",
    "added_ms_p99": "added, 99th percentile, ms",
    "events_per_s": "events a second",
    "us_p50": "median, us",
    "us_p99": "99th percentile, us",
    "gap_ms_p50": "gap, median, ms",
    "gap_ms_p99": "gap, 99th percentile, ms",
    "cpu_us_per_event": "CPU, us an event",
    "mb_before": "before, MB",
    "mb_with_streams": "with the streams, MB",
    "kb_per_stream": "KB a stream",
    "raw_bytes_per_call": "bodies, bytes a call",
    "zstd_bytes_per_call": "each in zstd, bytes a call",
    "stored_bytes_per_call": "bodies on record, bytes a call",
    "times_less_than_zstd": "times less than each in zstd",
    "bytes_per_call": "all of the database, bytes a call",
}


@dataclass(frozen=True, slots=True)
class Bar:
    """How many times better than the peer Luthien has to be at a figure; `more` is whether more of it is better."""

    scenario: str
    figure: str
    times: float
    more: bool
    says: str


BARS = (
    Bar("calls_16", "calls_per_s", 20, True, "20 times the peer's unstreamed calls a second on one core"),
    Bar("first_event_1", "added_ms_p50", 15, False, "a fifteenth of the peer's added time to the first event, in turn"),
    Bar("first_event", "added_ms_p50", 15, False, "the same at 5 streams a second, in cold caches"),
    Bar("paced", "cpu_us_per_event", 8, False, "an eighth of the peer's CPU a paced event"),
)


@dataclass
class Results:
    """All rounds of all scenarios, and what to say beside them."""

    titles: dict[str, str]
    rounds: dict[str, list[Round]]
    notes: list[str]

    def targets(self) -> list[str]:
        """The servers that were measured, in the order of the columns."""
        names = {name for rounds in self.rounds.values() for each in rounds for name in each}
        order = [DIRECT, RELAY, LUTHIEN, NO_POLICY, *STACKS, BLOCKING, *MODES]
        return [*(name for name in order if name in names), *sorted(names.difference(order, [PEER])), *names & {PEER}]

    def median(self, scenario: str, target: str, figure: str) -> float | None:
        """Over the rounds that have it; None if none has."""
        return _median(filled.get(target, {}).get(figure) for filled in self._filled(scenario))

    def ratio(self, scenario: str, figure: str, more: bool) -> float | None:
        """How many times better Luthien is than the peer: the median of the ratios within each round."""
        pairs = ((each.get(LUTHIEN, {}).get(figure), each.get(PEER, {}).get(figure)) for each in self._filled(scenario))
        return _median((ours / theirs if more else theirs / ours) for ours, theirs in pairs if ours and theirs)

    def figures(self, scenario: str) -> list[str]:
        """The names of its figures, in the order in which they are shown."""
        found = {name for each in self._filled(scenario) for figures in each.values() for name in figures}
        return [name for name in UNITS if name in found]

    def _filled(self, scenario: str) -> Iterator[dict[str, dict[str, float]]]:
        for each in self.rounds.get(scenario, ()):
            yield {name: dict(figures) | _added(figures, each.get(DIRECT, {})) for name, figures in each.items()}

    def verdicts(self) -> list[tuple[Bar, float | None]]:
        """Each bar with the ratio that was reached, None where it was not measured."""
        return [(bar, self.ratio(bar.scenario, bar.figure, bar.more)) for bar in BARS]

    def as_json(self) -> dict[str, Any]:
        return {
            "scenarios": {
                name: {
                    "title": self.titles[name],
                    "rounds": self.rounds[name],
                    "medians": {
                        target: {figure: self.median(name, target, figure) for figure in self.figures(name)}
                        for target in self.targets()
                    },
                }
                for name in self.rounds
            },
            "bars": [
                {"says": bar.says, "wanted": bar.times, "ratio": ratio, "met": _met(bar, ratio)}
                for bar, ratio in self.verdicts()
            ],
            "notes": self.notes,
        }

    def as_text(self) -> str:
        """A table a scenario, then the bars and the notes."""
        blocks = [self._table(name) for name in self.rounds]
        blocks.append("\n".join(["Bars", *(f"  {_sentence(bar, ratio)}" for bar, ratio in self.verdicts())]))
        if self.notes:
            blocks.append("\n".join(self.notes))
        return "\n\n".join(blocks)

    def _table(self, scenario: str) -> str:
        measured = {name for each in self.rounds[scenario] for name in each}
        targets = [name for name in self.targets() if name in measured]
        rows = [[self.titles[scenario], *targets]]
        for figure in self.figures(scenario):
            rows.append([UNITS[figure], *(_number(self.median(scenario, target, figure)) for target in targets)])
        widths = [max(len(row[column]) for row in rows) for column in range(1, len(targets) + 1)]
        return "\n".join(
            f"{'' if row is rows[0] else '  '}{row[0]}".ljust(48)
            + "".join(cell.rjust(width + 3) for cell, width in zip(row[1:], widths, strict=True))
            for row in rows
        )


def _added(figures: Mapping[str, float], direct: Mapping[str, float]) -> dict[str, float]:
    """What a server adds to the direct connection of the same round."""
    if figures is direct:
        return {}
    shared = [name for name in ("ms_p50", "ms_p99") if name in figures and name in direct]
    return {f"added_{name}": figures[name] - direct[name] for name in shared}


def _median(values: Any) -> float | None:
    known: Sequence[float] = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _met(bar: Bar, ratio: float | None) -> bool | None:
    return None if ratio is None else ratio >= bar.times


def _sentence(bar: Bar, ratio: float | None) -> str:
    if ratio is None:
        return f"not measured  {bar.says}"
    return f"{'met    ' if _met(bar, ratio) else 'NOT met'}  {bar.says}: {ratio:.1f} times better, wanted {bar.times:g}"
