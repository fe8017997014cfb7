"""What a report's charts show: counted while the rows pass, drawn to scale when all have. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from observability.exporters.base import Chart, Column, Row

MOST_LABELS = 10_000
"""Names that are counted apart; further ones are counted together."""
MOST_BARS = 12
MOST_DAYS = 400
WIDTH, BAR_WIDTH, HEIGHT, BAR_AT = 640, 340, 140, 190
"""Of a drawing, in units of its viewBox; of the longest bar in it; of the columns of days; where bars begin."""
OTHERS = "(others)"
NOTHING = "(none)"


@dataclass(frozen=True, slots=True)
class Bar:
    """A name and its number; `y` is where it stands and `width` how long it is."""

    label: str
    number: float
    y: int
    width: int

    @property
    def end(self) -> int:
        """Where its number stands."""
        return BAR_AT + self.width + 8


@dataclass(frozen=True, slots=True)
class Day:
    """A day and its number; `x`, `y`, `width`, `height` are those of its column."""

    day: date
    number: float
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Drawing:
    """A chart to draw: bars, or columns of days. `kind` is that of its numbers."""

    title: str
    kind: str
    bars: Sequence[Bar] = ()
    days: Sequence[Day] = ()
    height: int = HEIGHT
    most: float = 0


@dataclass(slots=True)
class _Count:
    chart: Chart
    by: int
    of: int | None
    kind: str
    numbers: dict[str | date, float] = field(default_factory=dict)


class Tally:
    """Counts rows for `charts`; memory is bounded, however many names there are."""

    def __init__(self, columns: Sequence[Column], charts: Iterable[Chart]) -> None:
        places = {column.title: place for place, column in enumerate(columns)}
        kinds = [column.kind for column in columns]
        self._counts = [
            _Count(chart, places[chart.by], of, "number" if of is None else kinds[of])
            for chart in charts
            for of in [places.get(chart.of)]
        ]

    def add(self, row: Row) -> None:
        for count in self._counts:
            by = row[count.by]
            label: str | date = by.date() if isinstance(by, datetime) else str(by or NOTHING)
            value = 1 if count.of is None else row[count.of]
            numbers = count.numbers
            if label not in numbers and len(numbers) >= MOST_LABELS:
                label = OTHERS
            numbers[label] = numbers.get(label, 0) + (value if isinstance(value, int | float) else 0)

    def drawings(self) -> list[Drawing]:
        """Those that have something to show."""
        return [_drawn(count) for count in self._counts if any(count.numbers.values())]


def _drawn(count: _Count) -> Drawing:
    days = {day: number for day, number in count.numbers.items() if isinstance(day, date)}
    if days:
        columns = _columns(days)
        return Drawing(count.chart.title, count.kind, days=columns, most=max(each.number for each in columns))
    named = {str(label): number for label, number in count.numbers.items()}
    bars = _bars(named)
    return Drawing(count.chart.title, count.kind, bars=bars, height=24 * len(bars), most=max(named.values()))


def _bars(numbers: Mapping[str, float]) -> list[Bar]:
    """The largest first; what is behind the MOST_BARSth together, at the end."""
    known = sorted(((number, label) for label, number in numbers.items() if label != OTHERS), key=_largest_first)
    shown, rest = known[:MOST_BARS], sum(number for number, _ in known[MOST_BARS:]) + numbers.get(OTHERS, 0)
    if rest:
        shown.append((rest, OTHERS))
    most = max(number for number, _ in shown) or 1
    return [
        Bar(label, number, 24 * place, max(round(number / most * BAR_WIDTH), 1 if number else 0))
        for place, (number, label) in enumerate(shown)
    ]


def _largest_first(item: tuple[float, str]) -> tuple[float, str]:
    return -item[0], item[1]


def _columns(numbers: Mapping[date, float]) -> list[Day]:
    """A column a day, also for days without any; the last MOST_DAYS days."""
    last = max(numbers)
    first = max(min(numbers), last - timedelta(days=MOST_DAYS - 1))
    days = [first + timedelta(days=step) for step in range((last - first).days + 1)]
    most, step = max(numbers.values()) or 1, WIDTH / max(len(days), 12)
    return [
        Day(day, number, round(place * step, 2), round(HEIGHT - height, 2), round(step * 0.8, 2), round(height, 2))
        for place, day in enumerate(days)
        for number in [numbers.get(day, 0)]
        for height in [number / most * HEIGHT]
    ]
