"""Fields of a client's request: each of the type it must have, or a BadRequest that names it."""

from __future__ import annotations

from typing import Any

from gateway.errors import BadRequest

from .wire_json import Json


def required_string(source: Json, name: str, where: str = "") -> str:
    value = source.get(name)
    if not isinstance(value, str) or not value:
        raise wrong(where + name, "a string that is not empty")
    return value


def optional_string(source: Json, name: str, where: str = "") -> str:
    value = source.get(name)
    if value is not None and not isinstance(value, str):
        raise wrong(where + name, "a string")
    return value or ""


def optional_bool(source: Json, name: str, where: str = "") -> bool:
    value = source.get(name)
    if value is not None and not isinstance(value, bool):
        raise wrong(where + name, "true or false")
    return bool(value)


def optional_integer(source: Json, name: str) -> int | None:
    value = source.get(name)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise wrong(name, "an integer")
    return value


def optional_number(source: Json, name: str) -> float | None:
    value = source.get(name)
    if value is not None and (not isinstance(value, int | float) or isinstance(value, bool)):
        raise wrong(name, "a number")
    return value


def strings(source: Json, name: str) -> list[str]:
    """The strings of a list; none if the field is missing or null."""
    value = source.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise wrong(name, "a list of strings")
    return value


def objects(source: Json, name: str, where: str = "") -> list[Json]:
    """The objects of a list; none if the field is missing or null."""
    value = source.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise wrong(where + name, "a list of objects")
    return value


def required_objects(source: Json, name: str) -> list[Json]:
    if source.get(name) is None:
        raise wrong(name, "a list of objects")
    return objects(source, name)


def optional_object(source: Json, name: str, where: str = "") -> Json:
    value = source.get(name)
    if value is not None and not isinstance(value, dict):
        raise wrong(where + name, "an object")
    return value or {}


def wrong(param: str, expected: str) -> BadRequest:
    return BadRequest(f"`{param}` must be {expected}.", param=param)


def source_of(value: Any) -> Json | None:
    """The parsed JSON that a neutral value was read from, if there is any."""
    source = value.source
    return source if isinstance(source, dict) else None
