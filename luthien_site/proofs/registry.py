"""Which proofs there are. A new one is a module beside this one and its name here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

MODULES = ("crash", "outage", "million", "viewers")


@dataclass(frozen=True)
class Order:
    """How to run a proof. `folder` is its own to write in and does not exist yet; `say` is told what goes on.

    `keep` is where a proof that can leaves what it made, and takes it from the next time.
    """

    folder: Path
    rounds: int
    postgres: bool
    say: Callable[[str], None]
    keep: Path | None = None


@dataclass(frozen=True)
class Finding:
    """What a proof found: `counts` in words, and each thing that should not be; none means that it holds."""

    counts: dict[str, int]
    violations: list[str]


@dataclass(frozen=True)
class Proof:
    """`run` raises DidNotStart where the proof could not be made at all. One that `keeps` heeds Order.keep."""

    name: str
    claim: str
    rounds: int
    run: Callable[[Order], Finding]
    keeps: bool = False


def proofs() -> dict[str, Proof]:
    """Every proof by its name."""
    found = [import_module(f"luthien_site.proofs.{module}").PROOF for module in MODULES]
    return {proof.name: proof for proof in found}
