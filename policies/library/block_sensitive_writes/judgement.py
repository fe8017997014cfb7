"""Judges scripts: the first write that is protected. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from policies.shell import UNKNOWN, Code, Effect, Oddity, Place, Program, Redirect, read

from .coded import written_by_code
from .protection import Protection, is_vague
from .written import Target, written

MAX_WORK = 20_000
VAGUE_COST = 100
"""A path is looked up; one that is not known in full is held against every pattern."""


@dataclass(frozen=True, slots=True)
class Finding:
    """`path` is the pattern that protects, or "unknown", or "unparsable"; `by` what would write."""

    path: str
    by: str

    @property
    def reason(self) -> str:
        if self.path == "unparsable":
            return f"unparsable command ({self.by})"
        return f"write to {'an unknown path' if self.path == 'unknown' else self.path} ({self.by})"

    @property
    def evidence(self) -> Mapping[str, str]:
        return {"path": self.path, "by": self.by}


class Search:
    """Looks for the first protected path of a tool call, and gives up where that takes too long."""

    def __init__(self, protection: Protection) -> None:
        self._protection = protection
        self._seen: set[tuple[Place, Target]] = set()
        self._work = 0

    def finds(self, by: str, place: Place, target: Target) -> Finding | None:
        if (place, target) in self._seen:
            return None
        self._seen.add((place, target))
        self._work += place.effort * (VAGUE_COST if is_vague(target.path) else 1)
        if self._work > MAX_WORK:
            return Finding("unparsable", by)
        found = self._protection.finds(target.path, place, target.tree)
        return Finding(found, by) if found else None


def judge(script: str, start: Place, protection: Protection) -> Finding | None:
    """What is wrong with `script`, which is started at `start`; a protected path before an unparsable command."""
    odd = None
    search = Search(protection)
    for effect in read(script, start):
        if isinstance(effect, Oddity):
            odd = Finding("unparsable", effect.program) if effect.kind == "unparsable" and odd is None else odd
        for by, place, target in _targets(effect):
            found = search.finds(by, place, target)
            if found:
                return found
    return odd


def _targets(effect: Effect) -> Iterator[tuple[str, Place, Target]]:
    match effect:
        case Redirect() if effect.writes:
            yield "a redirection", effect.place, Target(effect.path)
        case Program():
            by = "an unknown program" if UNKNOWN in effect.name else effect.name
            for target in written(effect):
                yield by, effect.place, target
        case Code():
            for path in written_by_code(effect.text):
                yield effect.interpreter, effect.place, Target(path)
