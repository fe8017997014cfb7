"""Adding, removing and moving the rows of a config that is being filled in. Pure."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Literal, get_args

from policies.config_form.fields import Pairs
from policies.config_form.shapes import Shape

Command = Literal["add", "remove", "up"]
COMMANDS: tuple[Command, ...] = get_args(Command)


class NoSuchPlace(LookupError):
    """The form has no such row."""


def edited(shape: Shape, value: Any, command: Command, place: tuple[str, ...]) -> Any:
    """`value` after `command` at `place`: the place of a list for `add`, else that of a row. Raises NoSuchPlace."""
    value = copy.deepcopy(value)
    if not place:
        raise NoSuchPlace(command)
    holder = _Holder(shape, {"": value}, "")
    for step in place if command == "add" else place[:-1]:
        holder = holder.inside(step)
    holder.change(command, _number(place[-1]) if command != "add" else 0)
    return value


class _Holder:
    """A part of the config, and where it stands, so that it can be put anew.

    In a row that is no group of its own the part is `named`: the next step is its name, `value`.
    """

    def __init__(self, shape: Shape, owner: Any, key: Any, named: bool = False) -> None:
        self.shape, self._owner, self._key, self._named = shape, owner, key, named

    @property
    def value(self) -> Any:
        return self._owner[self._key]

    def inside(self, step: str) -> _Holder:
        if self._named and step == "value":
            return _Holder(self.shape, self._owner, self._key)
        match self.shape.kind:
            case _ if self._named:
                raise NoSuchPlace(step)
            case "group":
                return self._member(step)
            case "maybe" if step == "0" and isinstance(self.value, Mapping):
                # The one row of a group that may be missing is the group itself.
                return _Holder(_there(self.shape), self._owner, self._key)
            case "rows" if _number(step) < len(self.value):
                return _Holder(self.shape.item, self.value, _number(step), self.shape.item.kind != "group")
            case "pairs" if _number(step) < len(self._pairs()):
                return _Holder(self.shape.item, _Second(self._pairs(), _number(step)), 1, True)
        raise NoSuchPlace(step)

    def change(self, command: Command, row: int) -> None:
        if self._named:
            raise NoSuchPlace(self.shape.name)
        if self.shape.kind == "maybe":
            self._owner[self._key] = _there(self.shape).blank if command == "add" else None
            return
        rows = self._list()
        if command == "add":
            rows.append(("", self.shape.item.blank) if self.shape.kind == "pairs" else self.shape.item.blank)
        elif row >= len(rows):
            raise NoSuchPlace(str(row))
        elif command == "remove":
            del rows[row]
        elif row:
            rows[row - 1], rows[row] = rows[row], rows[row - 1]

    def _member(self, step: str) -> _Holder:
        part = next((part for part in self.shape.members if part.name == step), None)
        if part is None:
            raise NoSuchPlace(step)
        self.value.setdefault(step, copy.deepcopy(part.blank))
        return _Holder(part, self.value, step)

    def _list(self) -> list[Any]:
        if self.shape.kind == "pairs":
            return self._pairs()
        if self.shape.kind not in ("rows", "lines"):
            raise NoSuchPlace(self.shape.name)
        self._owner[self._key] = rows = list(self.value or ())
        return rows

    def _pairs(self) -> Pairs:
        pairs: Pairs = self.value
        return pairs


class _Second:
    """The value of a pair, as something that can be put anew."""

    def __init__(self, pairs: Pairs, at: int) -> None:
        self._pairs, self._at = pairs, at

    def __getitem__(self, key: int) -> Any:
        return self._pairs[self._at][1]

    def __setitem__(self, key: int, value: Any) -> None:
        self._pairs[self._at] = (self._pairs[self._at][0], value)


def _there(shape: Shape) -> Shape:
    """A group that may be missing, as one that is there: what it is when missing is not its default."""
    node = {key: value for key, value in shape.node.items() if key != "default"}
    return Shape(shape.root, node, shape.name, shape.required)


def _number(step: str) -> int:
    if not (step.isascii() and step.isdecimal() and len(step) < 7):
        raise NoSuchPlace(step)
    return int(step)
