"""YAML with its lines kept and its variables filled in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from gateway.config_file.errors import ConfigError, Path, Problem, dotted

_VARIABLE = re.compile(r"\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_TEXT = "tag:yaml.org,2002:str"
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Document:
    """The data of a file, and on which line each part of it begins."""

    data: Any
    lines: Mapping[Path, int]

    def line(self, path: Path) -> int:
        """The line of `path`, or of the nearest thing around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def problem(self, path: Path, message: str) -> Problem:
        return Problem(self.line(path), f"{dotted(path)}: {message}" if path else message)


def read(text: str, variables: Mapping[str, str]) -> Document:
    """Parse `text` and fill in each `${NAME}`; `$${` stands for `${`. Raises ConfigError, naming unset variables."""
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return Document({}, {})
        walk = _Walk(variables, loader)
        walk.visit(node, ())
        data = None if walk.problems else loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise ConfigError([Problem(mark.line + 1 if mark else 1, f"not YAML: {error.problem}")]) from None
    except yaml.YAMLError:
        raise ConfigError([Problem(1, "not YAML")]) from None
    except RecursionError:
        raise ConfigError([Problem(1, "nested too deeply")]) from None
    finally:
        loader.dispose()
    if walk.problems:
        raise ConfigError(walk.problems)
    return Document(data, walk.lines)


def escaped(text: str) -> str:
    """`text` so that reading it gives `text` again."""
    return text.replace("${", "$${")


class _Walk:
    """Goes through the nodes of a document once: notes lines, fills in variables, finds keys that stand twice."""

    def __init__(self, variables: Mapping[str, str], loader: yaml.SafeLoader) -> None:
        self.lines: dict[Path, int] = {}
        self.problems: list[Problem] = []
        self._variables = variables
        self._loader = loader
        self._seen: set[int] = set()

    def visit(self, node: yaml.Node, path: Path) -> None:
        self.lines.setdefault(path, node.start_mark.line + 1)
        if id(node) in self._seen:
            return
        self._seen.add(id(node))
        if isinstance(node, yaml.ScalarNode):
            if node.tag == _TEXT:
                node.value = _VARIABLE.sub(lambda found: self._value(found, node), node.value)
            self._check(node)
        elif isinstance(node, yaml.SequenceNode):
            for place, item in enumerate(node.value):
                self.visit(item, (*path, place))
        elif isinstance(node, yaml.MappingNode):
            for key, value in self._entries(node):
                self.visit(value, (*path, key.value))
                self.lines[(*path, key.value)] = key.start_mark.line + 1

    def _check(self, node: yaml.ScalarNode) -> None:
        if _UNSTORABLE.search(node.value):
            self._note(node, "a character stands here that cannot be stored")
        elif node.tag != _TEXT and (make := self._loader.yaml_constructors.get(node.tag)) is not None:
            try:
                make(self._loader, node)
            except (ValueError, LookupError, AttributeError):  # whatever Python makes of 2026-13-01 or of !!int x
                self._note(node, f"this is no {node.tag.rpartition(':')[2]}")

    def _note(self, node: yaml.Node, message: str) -> None:
        self.problems.append(Problem(node.start_mark.line + 1, message))

    def _entries(self, node: yaml.MappingNode) -> Iterator[tuple[yaml.ScalarNode, yaml.Node]]:
        names: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._note(key, "a name is expected here")
                continue
            self._check(key)
            if key.value in names:
                self._note(key, f"{key.value} stands here a second time")
            names.add(key.value)
            yield key, value

    def _value(self, found: re.Match[str], node: yaml.Node) -> str:
        name = found[1]
        if name is None:
            return "${"
        if name not in self._variables:
            self._note(node, f"the variable {name} is not set")
        return self._variables.get(name, "")
