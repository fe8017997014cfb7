"""What may stand in SQL, as set by the policy's config; picklable and cheap to import."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

Kind = Literal[
    "select",
    "insert",
    "update",
    "delete",
    "merge",
    "create",
    "alter",
    "drop",
    "truncate",
    "grant",
    "copy",
    "call",
    "set",
    "describe",
    "transaction",
    "other",
]


@dataclass(frozen=True, slots=True)
class Rules:
    kinds: frozenset[str]
    tables: tuple[str, ...]
    functions: tuple[str, ...]
    where: bool
    most_statements: int
    unparsable: bool

    def denies_table(self, parts: list[str]) -> bool:
        """`parts` are the names of catalogue, schema and table, as far as they are written.

        A table without its schema may be that of any schema, so it is denied by its own name.
        """
        parts = [part.casefold() for part in parts if part]
        return bool(parts) and any(_matches(pattern.casefold().split("."), parts) for pattern in self.tables)

    def denies_function(self, name: str) -> bool:
        name = name.casefold().rpartition(".")[2]
        return any(fnmatchcase(name, pattern.casefold()) for pattern in self.functions)


def _matches(pattern: list[str], parts: list[str]) -> bool:
    common = min(len(pattern), len(parts))
    if len(parts) < len(pattern) and pattern[-1] == "*":
        return False
    return all(fnmatchcase(part, glob) for part, glob in zip(parts[-common:], pattern[-common:], strict=True))
