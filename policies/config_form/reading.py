"""What a browser sent, as a config: the inverse of drawing it. Pure.

A control's name is its place, such as `config.rules.0.find`. A row is there when a control named like the row is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from policies import distinct_json
from policies.config_form.fields import Error, Location, Pairs, Unparsed
from policies.config_form.shapes import Shape

MISSING = object()
_MOST_DIGITS = 6


class Posted:
    """The controls of a form, by name."""

    def __init__(self, values: Mapping[str, Sequence[str]]) -> None:
        self._values = values
        self._rows: dict[str, set[int]] = {}
        for name in values:
            self._note_rows(name)

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def text(self, name: str) -> str:
        """Browsers send line ends as CR LF."""
        return self.all(name)[-1].replace("\r\n", "\n") if name in self._values else ""

    def all(self, name: str) -> Sequence[str]:
        return self._values.get(name) or [""]

    def rows(self, name: str) -> list[int]:
        """The numbers of the rows of a list, ascending."""
        return sorted(self._rows.get(name, ()))

    def _note_rows(self, name: str) -> None:
        place, _, last = name.rpartition(".")
        if place and last.isascii() and last.isdecimal() and len(last) <= _MOST_DIGITS:
            self._rows.setdefault(place, set()).add(int(last))


class Reader:
    """Reads a form once. `errors` are of what is no value at all; whether a value will do, the model says."""

    def __init__(self, posted: Posted) -> None:
        self._posted = posted
        self.errors: list[Error] = []

    def read(self, shape: Shape, name: str, at: Location = ()) -> Any:
        """The value of the part named `name`; MISSING where it was left empty and has none."""
        match shape.kind:
            case "group":
                return self._group(shape, name, at)
            case "maybe":
                return self._group(shape, f"{name}.0", at) if self._posted.rows(name) else None
            case "lines" if name in self._posted:
                return [line.strip() for line in self._posted.text(name).split("\n") if line.strip()]
            case "lines" | "rows":
                return self._rows(shape.item, name, at)
            case "pairs":
                return self._pairs(shape.item, name, at)
            case "choices":
                return [_chosen(shape.item, text) for text in self._posted.all(name) if text]
            case "flag":
                return self._posted.text(name) == "on"
            case _:
                return self._scalar(shape, self._posted.text(name), at)

    def _group(self, shape: Shape, name: str, at: Location) -> dict[str, Any]:
        read = {part.name: self.read(part, f"{name}.{part.name}", (*at, part.name)) for part in shape.members}
        return {name: value for name, value in read.items() if value is not MISSING}

    def _rows(self, item: Shape, name: str, at: Location) -> list[Any]:
        return [self._row(item, f"{name}.{row}", (*at, place)) for place, row in enumerate(self._posted.rows(name))]

    def _row(self, item: Shape, name: str, at: Location) -> Any:
        if item.kind == "group":
            return self._group(item, name, at)
        value = self.read(item, f"{name}.value", at)
        return None if value is MISSING else value

    def _pairs(self, item: Shape, name: str, at: Location) -> Pairs:
        pairs = Pairs()
        for row in self._posted.rows(name):
            key = self._posted.text(f"{name}.{row}.key")
            if not key or key in [known for known, _ in pairs]:
                text = "this name stands twice" if key else "give it a name"
                self.errors.append(((*at, key, "[key]"), text))
            value = self.read(item, f"{name}.{row}.value", (*at, key))
            pairs.append((key, None if value is MISSING else value))
        return pairs

    def _scalar(self, shape: Shape, text: str, at: Location) -> Any:
        match shape.kind:
            case "text" | "area":
                return None if shape.nullable and not text else text
            case "json":
                return self._json(text, at)
            case _ if not text.strip():
                return None if shape.nullable else MISSING
            case "choice":
                return _chosen(shape, text)
            case _:
                return _number(text.strip(), shape.kind == "integer")

    def _json(self, text: str, at: Location) -> Any:
        if not text.strip():
            return MISSING
        try:
            return distinct_json.loads(text)
        except RecursionError:
            self.errors.append((at, "this is nested too deeply"))
        except ValueError as error:
            self.errors.append((at, f"this is not JSON: {error}"))
        return Unparsed(text)


def plain(value: Any) -> Any:
    """A config as it was read, as JSON has it."""
    if isinstance(value, Pairs):
        return {key: plain(inner) for key, inner in value}
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return str(value) if isinstance(value, Unparsed) else value


def _chosen(shape: Shape, text: str) -> Any:
    return next((value for shown, value in shape.choices if shown == text), text)


def _number(text: str, whole: bool) -> Any:
    try:
        return int(text) if whole else float(text)
    except ValueError:
        # The model says what is wrong with it, in its own words.
        return text
