"""What is wrong with a configuration file."""

from __future__ import annotations

from typing import NamedTuple

Path = tuple[str | int, ...]
"""Where something stands in the file, such as ("providers", "openai", "base_url")."""


class Problem(NamedTuple):
    line: int
    message: str


class ConfigError(ValueError):
    """Nothing of the file was applied. `problems` is in the order of its lines; the text holds them all."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(problems)
        super().__init__("\n".join(f"line {problem.line}: {problem.message}" for problem in self.problems))


def dotted(path: Path) -> str:
    """`path` as one reads it: providers.openai.base_url, models[2].match."""
    return "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
