"""Judges scripts: the first write that is protected. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from policies.shell import UNKNOWN, Code, Effect, Oddity, Place, Program, Redirect, read

from .coded import written_by_code
from .protection import Protection
from .written import Target, written


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


def judge(script: str, start: Place, protection: Protection) -> Finding | None:
    """What is wrong with `script`, which is started at `start`; a protected path before an unparsable command."""
    odd = None
    for effect in read(script, start):
        if isinstance(effect, Oddity):
            odd = Finding("unparsable", effect.program) if effect.kind == "unparsable" and odd is None else odd
        for by, place, target in _targets(effect):
            found = protection.finds(target.path, place, target.tree)
            if found:
                return Finding(found, by)
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
