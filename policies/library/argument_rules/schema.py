"""JSON Schema over arguments. It imports jsonschema, so import it where a schema is configured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import re2
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.validators import Draft202012Validator, extend
from referencing import Registry
from referencing.exceptions import Unresolvable


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not re2.search(pattern, instance):
        yield ValidationError("pattern")


def _pattern_properties(validator: Any, patterns: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, dict):
        for pattern, inner in patterns.items():
            for key in instance:
                if re2.search(pattern, key):
                    yield from validator.descend(instance[key], inner)


# The library's own expressions can take for ever over hostile text.
_Validator = extend(Draft202012Validator, {"pattern": _pattern, "patternProperties": _pattern_properties})


class Schema:
    """A JSON Schema of draft 2020-12; nothing is fetched for its references. Raises ValueError for one that is none."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        try:
            _Validator.check_schema(schema)
            for pattern in _patterns(schema):
                re2.compile(pattern, _QUIET)
        except (SchemaError, re2.error) as error:
            raise ValueError(f"this is no JSON Schema: {getattr(error, 'message', 'a pattern is no RE2')}") from None
        self._validator = _Validator(schema, registry=Registry())

    def fits(self, arguments: Mapping[str, Any]) -> bool:
        """Whether the arguments are as the schema says; what cannot be told is not."""
        try:
            return bool(self._validator.is_valid(arguments))
        except (RecursionError, Unresolvable):
            return False


def _patterns(schema: Any) -> Iterator[str]:
    if isinstance(schema, Mapping):
        if isinstance(pattern := schema.get("pattern"), str):
            yield pattern
        if isinstance(named := schema.get("patternProperties"), Mapping):
            yield from named
        for inner in schema.values():
            yield from _patterns(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from _patterns(inner)


_QUIET = re2.Options()
_QUIET.log_errors = False
