"""The fields of a configuration file."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_core import PydanticCustomError

from gateway.config_file.document import Document
from gateway.config_file.errors import ConfigError, Path, Problem
from observability.retention.kinds import BOUNDS, MOST_DAYS, Kind

Seconds = Annotated[float, Field(ge=0.1, le=3600)]
Patterns = Annotated[list[str], Field(min_length=1)]
Name = Annotated[str, Field(min_length=1, max_length=100)]


class Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class ProviderEntry(Entry):
    dialect: Literal["anthropic", "openai", "litellm", "demo"]
    litellm_provider: str = ""
    litellm_options: dict[str, str] = {}
    base_url: str = ""
    api_key: str | None = None
    passthrough: bool = False
    responses: bool = True
    connect_timeout: Seconds = 10
    first_byte_timeout: Seconds = 600
    idle_timeout: Seconds = 300
    extra_headers: dict[str, str] = {}
    enabled: bool = True


class FallbackEntry(Entry):
    provider: str
    model: Annotated[str, Field(max_length=200)] = ""


class RouteEntry(Entry):
    match: Annotated[str, Field(min_length=1, max_length=200)]
    provider: str
    model: str = ""
    wire: Literal["", "responses"] = ""
    fallback: list[FallbackEntry] = []
    order: int | None = None
    enabled: bool = True


class KeyEntry(Entry):
    name: Name
    team: str = ""
    key: str | None = None
    read: bool = False
    call: bool | None = None

    @property
    def may_call(self) -> bool:
        """A reading key calls no model, unless it says so."""
        return not self.read if self.call is None else self.call


class ScopeEntry(Entry):
    teams: Patterns = ["*"]
    keys: Patterns = ["*"]
    models: Patterns = ["*"]


class StepEntry(Entry):
    """A version and its terms. `previous` is what serves the sessions outside its percentage; null: nothing does."""

    policy: str
    config: dict[str, Any] = {}
    note: str = "configuration file"
    mode: Literal["enforce", "shadow"] = "enforce"
    scope: ScopeEntry = ScopeEntry()
    percent: Annotated[int, Field(ge=0, le=100)] = 100
    order: int | None = None
    on_failure: Literal["closed", "open"] = "closed"
    deadline: Annotated[float, Field(ge=0.1, le=240)] = 30
    record: Literal["full", "redacted"] = "full"
    previous: StepEntry | None = None


class PolicyEntry(StepEntry):
    """Without a `previous` at all, what was in force goes on serving the sessions outside the percentage.

    One that is not `enabled` is kept, and out of force.
    """

    name: Name
    enabled: bool = True


def _no_flag(value: Any) -> Any:
    # `yes` would be one day, and one day deletes nearly everything.
    if isinstance(value, bool):
        raise PydanticCustomError("days", "input should be a number of days")
    return value


CallDays = Annotated[int, BeforeValidator(_no_flag), Field(ge=BOUNDS[Kind.CALLS].least, le=MOST_DAYS)]
EventDays = Annotated[int, BeforeValidator(_no_flag), Field(ge=BOUNDS[Kind.AUDIT].least, le=MOST_DAYS)]
TeamName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]


class CallsEntry(Entry):
    """Without `days`, those that hold where nobody says otherwise."""

    days: CallDays | None = None
    teams: dict[TeamName, CallDays] = {}


class EventsEntry(Entry):
    days: EventDays | None = None


class RetentionEntry(Entry):
    """A field a kind of record."""

    calls: CallsEntry = CallsEntry()
    audit: EventsEntry = EventsEntry()


class File(Entry):
    """A section that is missing is left alone; one that is there is complete."""

    providers: dict[str, ProviderEntry] = {}
    models: list[RouteEntry] = []
    keys: list[KeyEntry] = []
    policies: list[PolicyEntry] = []
    retention: RetentionEntry = RetentionEntry()

    def has(self, section: str) -> bool:
        return section in self.model_fields_set


_ENTRIES: dict[str, type[Entry]] = {
    "providers": ProviderEntry,
    "models": RouteEntry,
    "keys": KeyEntry,
    "policies": PolicyEntry,
    "retention": RetentionEntry,
}

_NESTED: dict[tuple[str, str], type[Entry]] = {
    ("models", "fallback"): FallbackEntry,
    ("policies", "scope"): ScopeEntry,
    ("policies", "previous"): StepEntry,
    ("retention", "calls"): CallsEntry,
    ("retention", "audit"): EventsEntry,
}
"""By section and field."""


def place_order(entry: RouteEntry | StepEntry, place: int) -> int:
    """The order of an entry: what it says, else by its place in the list."""
    return (place + 1) * 10 if entry.order is None else entry.order


def understand(document: Document) -> File:
    """The file's content. Raises ConfigError with every line that is wrong."""
    try:
        file = File.model_validate(document.data)
    except ValidationError as error:
        raise ConfigError([_problem(document, dict(item)) for item in error.errors()]) from None
    twice = [*_twice(document, "models", [entry.match for entry in file.models])]
    twice += _twice(document, "keys", [entry.name for entry in file.keys])
    twice += _twice(document, "policies", [entry.name for entry in file.policies])
    if twice:
        raise ConfigError(twice)
    return file


def suggestion(word: str, known: list[str]) -> str:
    """A question that names what was meant perhaps, or nothing."""
    close = get_close_matches(word, known, 1)
    return f"; did you mean {close[0]}?" if close else ""


def _problem(document: Document, item: dict[str, Any]) -> Problem:
    path: Path = item["loc"]
    if path[-1:] == ("[key]",):
        path = (*path[:-2], str(path[-2]))
    if item["type"] == "extra_forbidden":
        field = str(path[-1])
        return document.problem(path, f"unknown field{suggestion(field, _fields(path[:-1]))}")
    if item["type"] == "missing":
        return document.problem(path, "is missing")
    return document.problem(path, item["msg"][0].lower() + item["msg"][1:])


def _fields(path: Path) -> list[str]:
    """The names of the fields that may stand at `path`."""
    if not path:
        return list(File.model_fields)
    section, *parts = map(str, path)
    nested = (_NESTED[section, part] for part in reversed(parts) if (section, part) in _NESTED)
    return list(next(nested, _ENTRIES[section]).model_fields)


def _twice(document: Document, section: str, names: list[str]) -> list[Problem]:
    return [
        document.problem((section, place), f"{name} stands here a second time")
        for place, name in enumerate(names)
        if name in names[:place]
    ]
