"""The reference of the HTTP API: one OpenAPI document of all that clients may ask, and the page made from it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gateway import health
from gateway.api import api as calls
from observability.api import api as debug

Json = dict[str, Any]

CALLING, READING, OPEN = "Calls", "Records", "State"
ABOUT = {
    CALLING: "With a key that calls models. Bodies, streamed answers and errors are those of the provider's own API, so"
    " its documentation is theirs. Every answer carries x-luthien-call-id, x-luthien-policies and server-timing.",
    READING: "With a key made with --read, which sees the records of its team, or with the session of who may read"
    ' calls. Answers are JSON; an error is {"error": {"type", "message"}}.',
    OPEN: "Without a key. Keep these inside.",
}
_SECURITY: dict[str, list[Json]] = {
    CALLING: [{"key": []}, {"bearer": []}],
    READING: [{"key": []}, {"bearer": []}, {"session": []}],
    OPEN: [],
}
_SCHEMES = {
    "key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
    "bearer": {"type": "http", "scheme": "bearer"},
    "session": {"type": "apiKey", "in": "cookie", "name": "sessionid"},
}


def document() -> Json:
    """OpenAPI 3.1; every operation is tagged with the group of ABOUT that it belongs to."""
    grouped = {
        CALLING: calls.get_openapi_schema()["paths"],
        READING: debug.get_openapi_schema()["paths"],
        OPEN: {f"/{route.pattern}": {"get": _described(route.callback)} for route in health.urlpatterns},
    }
    paths = {
        path: {method: {**_plain(each), "tags": [group], "security": _SECURITY[group]} for method, each in item.items()}
        for group, items in grouped.items()
        for path, item in items.items()
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Luthien", "version": calls.version},
        "tags": [{"name": group, "description": about} for group, about in ABOUT.items()],
        "paths": paths,
        "components": {"securitySchemes": _SCHEMES},
    }


@dataclass(frozen=True, slots=True)
class Parameter:
    """`place` is path, query or header; `rule` is what else is to know: the default, and the bounds."""

    name: str
    place: str
    type: str
    rule: str


@dataclass(frozen=True, slots=True)
class Operation:
    method: str
    path: str
    about: str
    parameters: list[Parameter]

    @property
    def id(self) -> str:
        """What a link names it by."""
        return f"{self.method}{self.path}".lower().replace("/", "-").replace("{", "").replace("}", "")


@dataclass(frozen=True, slots=True)
class Group:
    name: str
    about: str
    operations: list[Operation]


def groups(described: Json) -> list[Group]:
    """What the page shows of a `document`."""
    return [
        Group(tag["name"], tag["description"], list(_operations(described["paths"], tag["name"])))
        for tag in described["tags"]
    ]


def _operations(paths: Json, group: str) -> Iterator[Operation]:
    for path, item in paths.items():
        for method, each in item.items():
            if group in each["tags"]:
                parameters = [_parameter(given) for given in each.get("parameters", ())]
                yield Operation(method.upper(), path, each.get("description", ""), parameters)


def _parameter(given: Json) -> Parameter:
    schema = given["schema"]
    rules = ["required"] if given.get("required") else []
    if schema.get("default") not in (None, ""):
        rules.append(f"default {str(schema['default']).lower()}")
    if "minimum" in schema and "maximum" in schema:
        rules.append(f"{schema['minimum']} to {schema['maximum']}")
    return Parameter(given["name"], given["in"], schema.get("type", ""), ", ".join(rules))


def _described(view: Any) -> Json:
    return {
        "operationId": view.__name__,
        "description": inspect.getdoc(view),
        "parameters": [],
        "responses": {"200": {"description": "OK"}},
    }


def _plain(operation: Json) -> Json:
    """Without the summary, which is the function's name once more."""
    return {name: value for name, value in operation.items() if name != "summary"}
