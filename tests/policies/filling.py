"""A Config with a field of every kind, and how a browser fills in its form."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, model_validator

from policies.config_form import Draft
from policies.config_form import Field as Drawn

Place = Literal["here", "there"]
Elsewhere = Literal["elsewhere"]


class Colour(Enum):
    DARK = "dark_red"
    BLUE = "blue"


class Inner(BaseModel):
    """One of them."""

    x: int = Field(1, ge=0, le=9, description="A digit.")
    words: tuple[str, ...] = ()


class Node(BaseModel):
    name: str = "n"
    children: tuple[Node, ...] = ()


class Everything(BaseModel):
    must: str = Field(description="You must.", min_length=1)
    on: bool = True
    number: int = Field(3, gt=0, title="How many")
    ratio: Annotated[float, Field(lt=1)] = 0.5
    maybe: int | None = None
    words: str | None = None
    long: str = Field("", json_schema_extra={"multiline": True})
    choice: Literal["a_b", "c"] = "c"
    only: Literal["x"] = "x"
    perhaps: Literal[1, 2] | None = None
    merged: Place | Elsewhere = "here"
    colour: Colour = Colour.BLUE
    names: tuple[str, ...] = ("x", "y")
    several: tuple[Literal["p", "q"], ...] = ("p",)
    inner: Inner = Inner()
    inners: list[Inner] = Field(default_factory=lambda: [Inner(x=2)])
    numbers: tuple[int, ...] = (7,)
    either: int | str = 1
    limits: dict[str, int] = Field(default_factory=dict)
    sub: dict[str, Inner] = Field(default_factory=dict)
    missing: Inner | None = None
    there: Inner | None = Inner(x=4)
    anything: dict[str, Any] = Field(default_factory=dict)
    pair: tuple[int, int] = (1, 2)
    tree: Node = Node()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.must == "never":
            raise ValueError("this will not do")
        return self


FULL = {
    "must": "a\nb",
    "on": False,
    "number": 4,
    "ratio": 0.25,
    "maybe": 5,
    "words": "w",
    "long": "\nfirst line is empty\n",
    "choice": "a_b",
    "perhaps": 2,
    "merged": "elsewhere",
    "colour": "dark_red",
    "names": ["p*", " edge", "two\nlines"],
    "several": ["q"],
    "inner": {"x": 3, "words": ["one"]},
    "inners": [{"x": 1, "words": []}, {"x": 2, "words": ["a", "b"]}],
    "numbers": [1, 2, 3],
    "either": "text",
    "limits": {"a.b": 1, "c": 2},
    "sub": {"k": {"x": 8, "words": []}},
    "missing": {"x": 6, "words": []},
    "there": None,
    "anything": {"deep": [1, {"er": None}]},
    "pair": [3, 4],
    "tree": {"name": "root", "children": [{"name": "leaf", "children": []}]},
}


def sent(draft: Draft) -> dict[str, list[str]]:
    """What a browser sends of the form as it is drawn."""
    if draft.text is not None:
        return {"config-json": [draft.text]}
    return dict(controls(draft.field))


def controls(field: Drawn) -> list[tuple[str, list[str]]]:
    if field.kind in ("group", "rows", "pairs", "maybe"):
        inside = [control for part in field.fields for control in controls(part)]
        return inside + [each for row in field.rows for each in [(row.name, [""]), *controls(row)]]
    if field.kind in ("choice", "choices"):
        chosen = [value for value, _, is_chosen in field.choices if is_chosen]
        return [(field.name, chosen)] if chosen else []
    if field.kind == "flag":
        return [(field.name, ["on"])] if field.value else []
    return [(field.name, [field.value.replace("\n", "\r\n")])]


def find(field: Drawn, name: str) -> Drawn:
    """The part named `name`."""
    found = [part for part in (*field.fields, *field.rows) if name == part.name or name.startswith(part.name + ".")]
    return find(found[0], name) if found and found[0].name != name else found[0]


def errors(draft: Draft) -> dict[str, tuple[str, ...]]:
    """What the form says is wrong, by the part that says it."""

    def walk(field: Drawn) -> dict[str, tuple[str, ...]]:
        own = {field.name: field.errors} if field.errors else {}
        for part in (*field.fields, *field.rows):
            own |= walk(part)
        return own

    return walk(draft.field)


def pressed(draft: Draft, button: str) -> Draft:
    return Draft.read(draft.model, {**sent(draft), "edit": [button]})
