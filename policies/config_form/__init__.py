"""A policy's Config as a form that people fill in, with nested parts and lists, and as JSON for experts. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel, ValidationError

from policies import distinct_json
from policies.config_form.editing import COMMANDS, NoSuchPlace, edited
from policies.config_form.fields import Error, Field, draw, fits, focus_after
from policies.config_form.reading import Posted, Reader, plain
from policies.config_form.shapes import shape_of

__all__ = ["PREFIX", "Draft", "Field"]

PREFIX = "config"
"""What the names of all controls begin with."""
EDIT = "edit"
"""The name of the buttons that change the form instead of sending it in."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A config while somebody fills it in, right or wrong. `text` is the JSON of the expert's view, None in the form's,
    and `focus` the name of the control to go on at.

    Use `of` and `read`. It is `valid` if there are no `errors` and no button of the form's own was pressed.
    """

    model: type[BaseModel]
    value: Any
    errors: Sequence[Error] = ()
    text: str | None = None
    focus: str = ""
    pressed: bool = False

    @classmethod
    def of(cls, model: type[BaseModel], config: Mapping[str, Any] | None = None) -> Draft:
        """The form of `config`, or of the defaults."""
        if config is None:
            # A schema does not know the defaults that a factory makes; the model does.
            made = model.model_construct().model_dump(mode="json", warnings=False)
            config = {**shape_of(model).blank, **made}
        if fits(shape_of(model), config):
            return cls(model, dict(config))
        # It was stored when the class had other settings, and no form can show all of it.
        return cls(model, dict(config), _faults(model, config, ()), _text(config))

    @classmethod
    def read(cls, model: type[BaseModel], posted: Mapping[str, Sequence[str]]) -> Draft:
        """What a browser sent, after what the button that was pressed does to it."""
        controls = Posted(posted)
        draft = cls._read_json(model, controls) if f"{PREFIX}-json" in controls else cls._read_form(model, controls)
        return draft._press(controls.text(EDIT)) if EDIT in controls else draft

    def judged(self) -> Draft:
        """With all that is wrong about it; what `of` made of defaults may still lack what has to be said."""
        return replace(self, errors=(*self.errors, *_faults(self.model, plain(self.value), self.errors)))

    @property
    def valid(self) -> bool:
        return not (self.errors or self.pressed)

    @property
    def config(self) -> dict[str, Any]:
        """The config as JSON."""
        return plain(self.value) or {}

    @property
    def field(self) -> Field:
        """The whole form, a group."""
        return draw(shape_of(self.model), self.value, self.errors, PREFIX)

    @property
    def located_errors(self) -> list[tuple[str, str]]:
        """Each error with its place, for the view that has no fields."""
        return [(".".join(map(str, location)), text) for location, text in self.errors]

    @classmethod
    def _read_form(cls, model: type[BaseModel], controls: Posted) -> Draft:
        reader = Reader(controls)
        value = reader.read(shape_of(model), PREFIX)
        return cls(model, value, (*reader.errors, *_faults(model, plain(value), reader.errors)))

    @classmethod
    def _read_json(cls, model: type[BaseModel], controls: Posted) -> Draft:
        text = controls.text(f"{PREFIX}-json")
        try:
            value = distinct_json.loads(text)
        except (ValueError, RecursionError) as error:
            reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
            return cls(model, None, [((), f"This is not JSON: {reason}")], text)
        if not isinstance(value, dict):
            return cls(model, None, [((), "A config is an object: {...}")], text)
        return cls(model, value, _faults(model, value, ()), text)

    def _press(self, button: str) -> Draft:
        pressed = replace(self, pressed=True)
        if button == "json":
            return replace(pressed, text=_text(self.config))
        if self.text is None:
            return replace(pressed, errors=())._edit(button)
        # What no form can show stays as it is; nothing of it is thrown away.
        shown = button == "form" and self.value is not None and fits(shape_of(self.model), self.value)
        return replace(pressed, text=None) if shown else pressed

    def _edit(self, button: str) -> Draft:
        command, _, place = button.partition(":")
        steps = tuple(place.split(".")[1:])
        known = next((each for each in COMMANDS if each == command), None)
        if known is None:
            return self
        try:
            value = edited(shape_of(self.model), self.value, known, steps)
        except NoSuchPlace:
            return self
        changed = replace(self, value=value)
        return replace(changed, focus=focus_after(changed.field, known, place))


def _text(config: Mapping[str, Any]) -> str:
    return json.dumps(config, indent=2, ensure_ascii=False)


def _faults(model: type[BaseModel], value: Any, known: Sequence[Error]) -> list[Error]:
    """What the model says against `value`, but where something is known to be wrong already."""
    try:
        model.model_validate(value)
    except ValidationError as error:
        places = {location for location, _ in known}
        found = [(item["loc"], item["msg"].removeprefix("Value error, ")) for item in error.errors()]
        return [(location, text) for location, text in found if location not in places]
    return []
