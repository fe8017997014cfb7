"""A config's parts with their values and what is wrong with them, ready to be drawn. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from policies.config_form.shapes import Kind, Shape

NOTHING = "\N{EN DASH}"
MOST_LINES = 12
Location = tuple[int | str, ...]
Error = tuple[Location, str]
"""Where in the config, and what is wrong there."""


class Pairs(list[tuple[str, Any]]):
    """A mapping as somebody typed it: a key may be there twice, or be empty."""


class Unparsed(str):
    """What somebody typed where JSON was wanted, and is none."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Field:
    """One part of a form. `value` is what its control shows; `fields` are the parts of a group, `rows` those of a list.

    `choices` are (value, label, chosen). A row of `pairs` has the fields `key` and `value`.
    """

    kind: Kind
    name: str
    label: str
    help: str = ""
    required: bool = False
    value: str = ""
    errors: tuple[str, ...] = ()
    choices: tuple[tuple[str, str, bool], ...] = ()
    fields: tuple[Field, ...] = ()
    rows: tuple[Field, ...] = ()

    @property
    def id(self) -> str:
        return "field-" + self.name.replace(".", "-")

    @property
    def described_by(self) -> str:
        """The ids of what describes the control, as `aria-describedby` wants them."""
        return " ".join([f"{self.id}-help"] * bool(self.help) + [f"{self.id}-errors"] * bool(self.errors))

    @property
    def height(self) -> int:
        """How many lines its control shows."""
        return min(max(self.value.count("\n") + 1, 3), MOST_LINES)

    @property
    def wrong(self) -> bool:
        """Whether something is wrong with it or with any of its parts."""
        return bool(self.errors) or any(part.wrong for part in (*self.fields, *self.rows))


def draw(shape: Shape, value: Any, errors: Sequence[Error], name: str) -> Field:
    """`shape` with `value`, a config or a part of one; `errors` are located within it."""
    kind = _kind(shape, value)
    common: dict[str, Any] = {"kind": kind, "name": name, "label": shape.label, "help": shape.help}
    common["required"] = shape.required and kind in ("text", "area", "integer", "number", "json") and not shape.nullable
    match kind:
        case "group":
            return Field(**common, **_group(shape, value, errors, name))
        case "maybe":
            return Field(**common, **_maybe(shape, value, errors, name))
        case "rows":
            return Field(**common, **_rows(shape.item, value or (), errors, name))
        case "pairs":
            return Field(**common, **_pairs(shape.item, value, errors, name))
        case "choice" | "choices":
            chosen = value if kind == "choices" else [value]
            return Field(**common, errors=_texts(errors), choices=_choices(shape, chosen or []))
        case _:
            return Field(**common, errors=_texts(errors, lines=kind == "lines"), value=_shown(kind, value))


def fits(shape: Shape, value: Any) -> bool:
    """Whether a form can show all of `value`, right or wrong as it may be."""
    match shape.kind:
        case "group":
            return isinstance(value, Mapping) and _members_fit(shape, value)
        case "maybe":
            return value is None or (isinstance(value, Mapping) and _members_fit(shape, value))
        case "rows" | "lines" | "choices":
            return isinstance(value, list | tuple) and all(fits(shape.item, each) for each in value)
        case "pairs":
            return isinstance(value, Mapping) and all(fits(shape.item, each) for each in value.values())
        case "choice":
            return value is None or value in [known for _, known in shape.choices]
        case "json":
            return True
        case "flag":
            return isinstance(value, bool)
        case "text" | "area":
            return value is None or isinstance(value, str)
        case _:
            return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _members_fit(shape: Shape, value: Mapping[str, Any]) -> bool:
    members = {part.name: part for part in shape.members}
    return all(name in members and fits(members[name], inner) for name, inner in value.items())


def focus_after(form: Field, command: str, place: str) -> str:
    """The name of the control to go on at once `command` changed the rows at `place`; a list's own is its button."""
    listed, _, row = place.rpartition(".")
    if command == "remove":
        return listed
    if command == "up":
        return _first_control(_part(form, f"{listed}.{max(int(row) - 1, 0)}"))
    return _first_control(_part(form, place).rows[-1])


def _part(field: Field, name: str) -> Field:
    """The part of `field` that has this name."""
    parts = (*field.fields, *field.rows)
    return field if field.name == name else _part(next(part for part in parts if _holds(part, name)), name)


def _holds(part: Field, name: str) -> bool:
    return name == part.name or name.startswith(f"{part.name}.")


def _first_control(field: Field) -> str:
    parts = field.fields or field.rows
    return _first_control(parts[0]) if parts else field.name


def _kind(shape: Shape, value: Any) -> Kind:
    """A control that can show `value` without changing it."""
    if shape.kind == "lines" and not all(_is_a_line(item) for item in value or ()):
        return "rows"
    if shape.kind == "text" and isinstance(value, str) and "\n" in value:
        return "area"
    return shape.kind


def _is_a_line(item: Any) -> bool:
    return isinstance(item, str) and item != "" and item == item.strip() and "\n" not in item and "\r" not in item


def _group(shape: Shape, value: Any, errors: Sequence[Error], name: str) -> dict[str, Any]:
    known = value if isinstance(value, Mapping) else {}
    members = list(shape.members)
    fields = tuple(
        draw(part, known.get(part.name, part.blank), _inside(errors, part.name), f"{name}.{part.name}")
        for part in members
    )
    return {"fields": fields, "errors": _texts(_outside(errors, [part.name for part in members]))}


def _maybe(shape: Shape, value: Any, errors: Sequence[Error], name: str) -> dict[str, Any]:
    if value is None:
        return {"errors": _texts(errors)}
    return {"rows": (_row(name, 0, **_group(shape, value, errors, f"{name}.0")),)}


def _rows(item: Shape, values: Iterable[Any], errors: Sequence[Error], name: str) -> dict[str, Any]:
    rows = tuple(_one(item, value, _inside(errors, at), f"{name}.{at}", at) for at, value in enumerate(values))
    return {"rows": rows, "errors": _texts(_outside(errors, range(len(rows))))}


def _one(item: Shape, value: Any, errors: Sequence[Error], name: str, at: int) -> Field:
    if item.kind == "group":
        return _row(name.rpartition(".")[0], at, **_group(item, value, errors, name))
    part = draw(item, value, errors, f"{name}.value")
    return _row(name.rpartition(".")[0], at, fields=(_labelled(part, "Value"),))


def _pairs(item: Shape, value: Any, errors: Sequence[Error], name: str) -> dict[str, Any]:
    pairs = list(value.items()) if isinstance(value, Mapping) else list(value or ())
    rows = []
    for at, (key, inner) in enumerate(pairs):
        wrong = _inside(errors, key)
        about_key = tuple(text for location, text in wrong if location == ("[key]",))
        about_value = [(location, text) for location, text in wrong if location != ("[key]",)]
        name_field = Field("text", f"{name}.{at}.key", "Name", required=True, value=str(key), errors=about_key)
        value_field = _labelled(draw(item, inner, about_value, f"{name}.{at}.value"), "Value")
        rows.append(_row(name, at, fields=(name_field, value_field)))
    return {"rows": tuple(rows), "errors": _texts(_outside(errors, [key for key, _ in pairs]))}


def _row(name: str, at: int, **parts: Any) -> Field:
    return Field("group", f"{name}.{at}", str(at + 1), **parts)


def _labelled(field: Field, label: str) -> Field:
    return replace(field, label=field.label or label)


def _choices(shape: Shape, chosen: Iterable[Any]) -> tuple[tuple[str, str, bool], ...]:
    options = shape if shape.kind == "choice" else shape.item
    picked = list(chosen)
    none = (("", NOTHING, picked == [None]),) if shape.nullable or picked == [None] else ()
    return none + tuple((text, text.replace("_", " "), value in picked) for text, value in options.choices)


def _shown(kind: Kind, value: Any) -> str:
    if kind == "json":
        return value if isinstance(value, Unparsed) else json.dumps(value, indent=2, ensure_ascii=False)
    if kind == "lines":
        return "\n".join(value or ())
    if kind == "flag":
        return "on" if value is True else ""
    return "" if value is None else str(value)


def _inside(errors: Sequence[Error], key: int | str) -> list[Error]:
    return [(location[1:], text) for location, text in errors if location and location[0] == key]


def _outside(errors: Sequence[Error], keys: Iterable[int | str]) -> list[Error]:
    known = set(keys)
    return [error for error in errors if not error[0] or error[0][0] not in known]


def _texts(errors: Sequence[Error], lines: bool = False) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_text(location, text, lines) for location, text in errors))


def _text(location: Location, text: str, lines: bool) -> str:
    if lines and location and isinstance(location[0], int):
        return f"Line {location[0] + 1}: {text}"
    return text
