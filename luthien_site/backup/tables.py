"""Which tables a backup has, and how their values look in it: the same whichever database they are from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.apps import apps

LEFT_OUT = frozenset({"django_session", "observability_worker", "observability_turn"})
"""Logins, and who is alive: nothing of these is true of another time."""
Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """`times` and `flags` are the places of columns that SQLite keeps as text and as numbers."""

    name: str
    columns: tuple[str, ...]
    times: tuple[int, ...]
    flags: tuple[int, ...]

    @property
    def names(self) -> str:
        """The columns, for SQL."""
        return ", ".join(f'"{column}"' for column in self.columns)

    def from_sqlite(self, row: Sequence[Any]) -> Row:
        values = list(row)
        for place in self.times:
            if values[place] is not None:
                values[place] = datetime.fromisoformat(values[place]).replace(tzinfo=UTC)
        for place in self.flags:
            if values[place] is not None:
                values[place] = bool(values[place])
        return tuple(values)

    def to_sqlite(self, row: Sequence[Any]) -> Row:
        values = list(row)
        for place in self.times:
            if values[place] is not None:
                values[place] = values[place].astimezone(UTC).isoformat(" ").removesuffix("+00:00")
        return tuple(values)


def tables() -> list[Table]:
    """All of them, by name."""
    return sorted(_tables(), key=lambda table: table.name)


def _tables() -> Iterator[Table]:
    for model in apps.get_models(include_auto_created=True):
        options = model._meta
        if options.db_table in LEFT_OUT or not options.managed or options.proxy:
            continue
        fields = options.concrete_fields
        kinds = [field.get_internal_type() for field in fields]

        def places(kind: str, kinds: Sequence[str] = kinds) -> tuple[int, ...]:
            return tuple(place for place, each in enumerate(kinds) if each == kind)

        columns = tuple(str(field.column) for field in fields)
        yield Table(options.db_table, columns, places("DateTimeField"), places("BooleanField"))


Progress = Callable[[int, int], None]
"""Told how many rows are done, of how many."""
