"""What a JSON schema of pydantic's says about each part of a config: its kind, its words, its default. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

Kind = Literal[
    "text", "area", "integer", "number", "flag", "choice", "choices", "lines", "rows", "pairs", "group", "maybe", "json"
]
"""How it is drawn: `lines` are texts, `rows` a list of anything, `pairs` a mapping, `maybe` a group or none."""
Schema = Mapping[str, Any]
LONG = 200
"""Characters from which on a text gets several lines."""
_SCALARS: dict[Any, Kind] = {"integer": "integer", "number": "number", "boolean": "flag"}


@dataclass(frozen=True, slots=True)
class Shape:
    """One part of a config. `root` holds the definitions that `node` refers to."""

    root: Schema
    node: Schema
    name: str = ""
    required: bool = True
    nullable: bool = False

    @property
    def kind(self) -> Kind:
        if "enum" in self.node or "const" in self.node:
            return "choice"
        match self.node.get("type"):
            case "string":
                return "area" if self.node.get("multiline") or self.node.get("maxLength", 0) > LONG else "text"
            case "array":
                return self._list_kind()
            case "object":
                return self._object_kind()
            case other:
                return _SCALARS.get(other, "json")

    @property
    def label(self) -> str:
        title = str(self.node.get("title", ""))
        # pydantic makes a title of the name, with a capital for each word.
        made = self.name.replace("_", " ")
        return made.capitalize() if self.node.get("type") == "object" or title.lower() == made.lower() else title

    @property
    def help(self) -> str:
        return " ".join(filter(None, (str(self.node.get("description", "")), self._bounds())))

    @property
    def choices(self) -> tuple[tuple[str, Any], ...]:
        """(as the form says it, as the config does)."""
        values = self.node.get("enum", [self.node["const"]] if "const" in self.node else [])
        return tuple((str(value), value) for value in values)

    @property
    def item(self) -> Shape:
        """What a list holds, or a mapping's values are."""
        inner = self.node.get("items") or self.node.get("additionalProperties")
        return shape(self.root, inner if isinstance(inner, Mapping) else {})

    @property
    def members(self) -> Iterator[Shape]:
        """The fields of a group, in their order."""
        required = self.node.get("required", ())
        for name, node in self.node.get("properties", {}).items():
            yield shape(self.root, node, name, name in required)

    @property
    def blank(self) -> Any:
        """What stands there before anybody has filled it in."""
        if "default" in self.node:
            return self.node["default"]
        match self.kind:
            case "text" | "area":
                return None if self.nullable else ""
            case "lines" | "rows" | "choices":
                return []
            case "pairs":
                return {}
            case "group":
                return {member.name: member.blank for member in self.members}
            case _:
                return None

    def _list_kind(self) -> Kind:
        if "prefixItems" in self.node or "items" not in self.node:
            return "json"
        match self.item.kind:
            case "text" | "area" if not self.item.nullable:
                return "lines"
            case "choice":
                return "choices"
            case _:
                return "rows"

    def _object_kind(self) -> Kind:
        if "properties" in self.node:
            return "maybe" if self.nullable else "group"
        return "pairs" if isinstance(self.node.get("additionalProperties"), Mapping) else "json"

    def _bounds(self) -> str:
        least = self.node.get("minimum", self.node.get("exclusiveMinimum"))
        most = self.node.get("maximum", self.node.get("exclusiveMaximum"))
        if least is None and most is None:
            return ""
        above = "more than" if "exclusiveMinimum" in self.node else "at least"
        below = "less than" if "exclusiveMaximum" in self.node else "at most"
        words = [f"{above} {least}"] * (least is not None) + [f"{below} {most}"] * (most is not None)
        return " and ".join(words).capitalize() + "."


def shape_of(model: type[BaseModel]) -> Shape:
    """The shape of a whole config."""
    schema = model.model_json_schema()
    return shape(schema, schema)


def shape(root: Schema, node: Schema, name: str = "", required: bool = True) -> Shape:
    """`node` without references, and without the null that it may also be."""
    node, nullable = _resolved(root, node), False
    options = node.get("anyOf", ())
    kinds = [option for option in options if option.get("type") != "null"]
    if options and (one := _one([_resolved(root, option) for option in kinds])) is not None:
        words = {key: value for key, value in node.items() if key != "anyOf"}
        node, nullable = {**one, **words}, len(kinds) < len(options)
    return Shape(root, node, name, required, nullable)


def _one(options: list[Schema]) -> Schema | None:
    """What says the same as all of `options`, if one schema can: a choice of any of their choices."""
    if len(options) == 1:
        return options[0]
    if all("enum" in option or "const" in option for option in options):
        return {"enum": [value for option in options for value in option.get("enum", [option.get("const")])]}
    return None


def _resolved(root: Schema, node: Schema) -> Schema:
    while "$ref" in node:
        target: Schema = root["$defs"][str(node["$ref"]).rpartition("/")[2]]
        node = {**target, **{key: value for key, value in node.items() if key != "$ref"}}
    return node
