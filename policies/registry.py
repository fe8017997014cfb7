"""Which policies can be put in force: our library, and installed packages through the entry-point group GROUP.

Nothing else is loadable, least of all a path that somebody typed into a page.
"""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from pydantic import ValidationError

from policies import library
from policies.base import Policy

GROUP = "luthien.policies"


class NotRegistered(LookupError):
    """No policy class goes by that name."""


class InvalidConfig(ValueError):
    """The policy does not accept its config. `errors` holds (path of the field, what is wrong with it)."""

    def __init__(self, errors: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{path}: {message}" if path else message for path, message in errors))
        self.errors = errors


def catalogue() -> Mapping[str, type[Policy]]:
    """Every registered policy class by its name: the module's in our library, the entry point's in a package."""
    return _registered().classes


def broken() -> Mapping[str, str]:
    """What is installed as a policy but cannot be loaded, by name, and why."""
    return _registered().errors


def reload() -> None:
    """Look again at what is installed."""
    _registered.cache_clear()


def description(policy: type[Policy]) -> str:
    """The class's docstring: its text in the console."""
    return inspect.cleandoc(policy.__doc__ or "")


def build(name: str, config: Mapping[str, Any]) -> Policy:
    """The policy registered as `name`, with `config`. Raises NotRegistered and InvalidConfig."""
    policy = catalogue().get(name)
    if policy is None:
        raise NotRegistered(f"no policy is registered as {name!r}")
    try:
        return policy(policy.Config.model_validate(config))
    except ValidationError as error:
        raise InvalidConfig([(_path(item["loc"]), item["msg"]) for item in error.errors()]) from None
    except Exception as error:
        raise InvalidConfig([("", f"{name} cannot be made: {type(error).__name__}")]) from error


@dataclass(slots=True)
class _Registered:
    classes: dict[str, type[Policy]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


@cache
def _registered() -> _Registered:
    found = _Registered(dict(_library()))
    for point in sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value)):
        try:
            found.classes[point.name] = _load(point, found.classes)
        except Exception as error:  # a stranger's package may fail in any way, and takes nobody else with it
            found.errors[point.name] = f"{point.value}: {type(error).__name__}: {error}"
    return found


def _library() -> Iterator[tuple[str, type[Policy]]]:
    for module in pkgutil.iter_modules(library.__path__):
        yield module.name, _policy_of(f"{library.__name__}.{module.name}")


def _policy_of(module: str) -> type[Policy]:
    classes = inspect.getmembers(import_module(module), inspect.isclass)
    (policy,) = (cls for _, cls in classes if issubclass(cls, Policy) and cls.__module__ == module)
    return policy


def _load(point: EntryPoint, taken: Mapping[str, type[Policy]]) -> type[Policy]:
    if point.name in taken:
        raise ValueError("the name is taken")
    policy = point.load()
    if not (inspect.isclass(policy) and issubclass(policy, Policy)):
        raise TypeError("it is not a policy class")
    return policy


def _path(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location)
