"""From shadow by a share of the sessions to all: where a policy stands, and what a next step would change. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from policies.active import EVERYTHING, Scope
from policies.verdicts import Mode

FIRST_SHARE = 10
NOTHING = "\N{EN DASH}"
REWRITES = (
    "This policy judges requests. If it rewrites them, conversations that are under way may break: newer models bind "
    "their thinking to everything before it, and a provider may refuse a conversation whose earlier messages now read "
    "otherwise."
)
CHANGES_SIDES = (
    " A session stays on its side of the percentage; but each time the percentage changes, the sessions that come "
    "over to the other side are such conversations."
)
ALL_AT_ONCE = "It goes to every session at once. A share of sessions first shows what it does at a smaller price."
FAILS_OPEN = "If it fails or takes too long, what it should have judged passes unjudged, with a banner on every page."
IDLE = "With this config it has nothing to judge."
NO_SESSION = "At 0 % it judges no session."
Rung = Literal["shadow", "share", "all"]


@dataclass(frozen=True, slots=True)
class InForce:
    """A version and the terms on which it is in force, or would be. `percent` is of sessions, `deadline` seconds.

    `hooks` are those that the version has with its config.
    """

    version: int
    mode: Mode
    scope: Scope
    percent: int
    order: int
    on_failure: str
    deadline: float
    redacted: bool
    hooks: frozenset[str] = frozenset()

    @property
    def rung(self) -> Rung:
        if self.mode == "shadow":
            return "shadow"
        return "all" if self.percent >= 100 else "share"


@dataclass(frozen=True, slots=True)
class Step:
    """One rung as the policy's page shows it, and the terms that would take it there."""

    rung: Rung
    title: str
    about: str
    here: bool
    mode: Mode
    percent: int


def steps(current: InForce | None) -> list[Step]:
    """The three rungs, in their order."""
    rung = current.rung if current else None
    share = current.percent if current and rung == "share" else FIRST_SHARE
    return [
        Step("shadow", "Shadow", "It judges and records, and changes nothing.", rung == "shadow", "shadow", 100),
        Step("share", "Some sessions", _about_share(current), rung == "share", "enforce", share),
        Step("all", "Enforce", "What it decides holds for every session.", rung == "all", "enforce", 100),
    ]


def _about_share(current: InForce | None) -> str:
    if current and current.rung == "share":
        return f"What it decides holds for {current.percent} % of sessions."
    return "What it decides holds for a share of sessions; a session never changes sides."


@dataclass(frozen=True, slots=True)
class Change:
    """One term, before and after."""

    label: str
    before: str
    after: str

    @property
    def differs(self) -> bool:
        return self.before != self.after


@dataclass(frozen=True, slots=True)
class Review:
    """What a step would do: to whom, in sentences; to which terms; and what to think of first."""

    sentences: tuple[str, ...]
    changes: tuple[Change, ...]
    warnings: tuple[str, ...]


def review(before: InForce | None, after: InForce, rest: InForce | None) -> Review:
    """What putting `after` in force does. `rest` is what would serve the sessions outside of its percentage."""
    return Review(
        sentences=tuple(_sentences(after, rest)),
        changes=tuple(_changes(before, after)),
        warnings=tuple(_warnings(before, after)),
    )


def scope_words(scope: Scope) -> str:
    """Which calls a scope is for."""
    narrowed = [
        f"{name} {', '.join(patterns)}"
        for name, patterns in (("teams", scope.teams), ("keys", scope.keys), ("models", scope.models))
        if tuple(patterns) != EVERYTHING
    ]
    return f"calls of {'; '.join(narrowed)}" if narrowed else "every call"


def _sentences(after: InForce, rest: InForce | None) -> Iterator[str]:
    does = "judges, and what it decides holds" if after.mode == "enforce" else "judges and records, and changes nothing"
    share = "all sessions" if after.percent >= 100 else f"{after.percent} % of sessions"
    yield f"Version {after.version} {does}: in {share}, for {scope_words(after.scope)}."
    if after.percent < 100:
        others = 100 - after.percent
        yield (
            f"The other {others} % of sessions stay with version {rest.version} in {rest.mode} mode."
            if rest
            else f"The other {others} % of sessions are not judged by this policy."
        )
    yield "Every gateway process has it within two seconds. A call under way ends on what it began with."


def _changes(before: InForce | None, after: InForce) -> Iterator[Change]:
    was = dict(_terms(before)) if before else {}
    for label, text in _terms(after):
        yield Change(label, was.get(label, NOTHING), text)


def _terms(terms: InForce) -> Iterator[tuple[str, str]]:
    yield "Version", str(terms.version)
    yield "Mode", terms.mode
    yield "Sessions", f"{terms.percent} %"
    yield "For", scope_words(terms.scope)
    yield "Order", str(terms.order)
    yield "If it fails", "passes unjudged" if terms.on_failure == "open" else "blocks"
    yield "Deadline", f"{terms.deadline:g} s"
    yield "Originals", "kept out of the record" if terms.redacted else "on record"


def _warnings(before: InForce | None, after: InForce) -> Iterator[str]:
    enforces = after.mode == "enforce"
    if _rewrites_change(before, after):
        yield REWRITES + (CHANGES_SIDES if after.percent < 100 or (before and before.percent < 100) else "")
    if enforces and after.percent >= 100 and (before is None or before.mode == "shadow"):
        yield ALL_AT_ONCE
    if after.on_failure == "open":
        yield FAILS_OPEN
    if not after.hooks - {"on_end"}:
        yield IDLE
    if after.percent == 0:
        yield NO_SESSION


def _rewrites_change(before: InForce | None, after: InForce) -> bool:
    """Whether requests of sessions under way may be rewritten otherwise than before."""
    was, will = _rewrites(before), _rewrites(after)
    if before is None or was != will:
        return was or will
    return will and (before.version, before.percent, before.scope) != (after.version, after.percent, after.scope)


def _rewrites(terms: InForce | None) -> bool:
    return terms is not None and terms.mode == "enforce" and "on_request" in terms.hooks
