"""Judges what a script may do: the first effect that counts."""

from __future__ import annotations

import re

import re2

from policies.shell import UNKNOWN, Code, Effect, Oddity, Program, Redirect, read

from . import targets
from .rules import Category, Settings, deletes, violation

_DELETES_TREE = re2.compile(r"\brmtree\s*\(|\brm_rf?\b|\bremove_tree\b|\brm(?:Sync)?\s*\([^)]*recursive")
_FORK_BOMB = re.compile(r"\bfork(?:\(\))?\s+while\s+(?:fork|1|True)|while\s*\(?(?:1|True)\)?\s*[:{]?\s*(?:os\.)?fork")
_ODDITIES: dict[str, Category] = {
    "unparsable": "unparsable command",
    "fetched": "running downloaded or decoded text",
    "multiplies": "fork bomb",
}


def judge(script: str, settings: Settings) -> tuple[str, str] | None:
    """(category, program) of what `script` would destroy, or None."""
    for effect in read(script):
        found = _finding(effect, settings)
        if found and settings.counts(found[0]):
            return found
    return None


def _finding(effect: Effect, settings: Settings) -> tuple[Category, str] | None:
    match effect:
        case Program():
            return violation(effect, settings)
        case Oddity():
            return _ODDITIES[effect.kind], effect.program
        case Redirect():
            category = _overwritten(effect)
            return (category, "the shell") if category else None
        case Code():
            return _in_code(effect.text, settings)
        case _:
            return None


def _overwritten(redirect: Redirect) -> Category | None:
    if not redirect.writes or redirect.operator.startswith("<"):
        return None
    if targets.is_disk(redirect.path):
        return "disk"
    return "system" if redirect.path.endswith("/sysrq-trigger") else None


def _in_code(text: str, settings: Settings) -> tuple[Category, str] | None:
    if _FORK_BOMB.search(text) and settings.counts("fork bomb"):
        return "fork bomb", "the shell"
    if _DELETES_TREE.search(text) and deletes([UNKNOWN], settings):
        return "recursive delete", "a script"
    return None
