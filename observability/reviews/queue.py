"""What nobody looked at yet: verdicts that stopped, changed or failed to judge something, and clients' reports.

The search index leads there: a call is marked as long as something on it waits for a label (search/marks.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from observability.hiding import hide_decision, redacted
from observability.models import CallRecord, Decision
from observability.queries import Teams, visible_calls
from observability.search.language import Part
from observability.search.listing import read_number, refresh
from observability.search.marks import REPORTED, REVIEWED, mark
from observability.search.matching import Found, find
from observability.search.wanted import wanted

from .models import BY_CLIENT, WHOLE_CALL, Review

KINDS = {
    "blocked": "Blocked",
    "failed": "Failed",
    "changed": "Changed",
    REPORTED: "Reported by clients",
}
PAGE = 25


@dataclass(frozen=True, slots=True)
class Item:
    """A verdict to be labelled, or with `decision` None its call. `review` is the label that it has."""

    call: CallRecord
    decision: Decision | None
    review: Review | None = None

    @property
    def position(self) -> int:
        return WHOLE_CALL if self.decision is None else self.decision.position


def hide_words(items: Iterable[Item]) -> None:
    """Take reasons and comments out of `items`, for eyes that may not see what was said; they must not be saved."""
    for item in items:
        if item.decision is not None:
            hide_decision(item.decision)
        if item.review is not None:
            item.review.comment = redacted(item.review.comment)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A page of what waits, the newest calls first; `older` is the `before` of the page that follows, or empty.

    `calls` is how many calls have something that waits, of as many as were to be counted.
    """

    items: list[Item]
    older: str
    calls: int


def waiting(
    kind: str,
    parts: Sequence[Part] = (),
    *,
    before: str = "",
    teams: Teams = None,
    limit: int = PAGE,
    counted: int = 0,
) -> Waiting:
    """What of `kind` (of KINDS) waits in calls that match every part; `policy:` names whose verdicts are meant."""
    asked = wanted(parts, teams)
    policies = _policies(parts)
    if kind == REPORTED or not policies:
        asked.marks.append((mark("review", kind),))
    else:
        asked.marks.append(tuple(mark("review", f"{kind}:{policy}") for policy in policies))
    refresh()
    found = find(asked, read_number(before), max(limit + 1, counted))
    shown = found[:limit]
    older = f"n{shown[-1].number}" if len(found) > limit else ""
    return Waiting(_items(kind, shown, policies, teams), older, len(found))


def _policies(parts: Iterable[Part]) -> list[str]:
    named = [value for part in parts if part.name == "policy" and not part.negated for value in part.values]
    return [name.rpartition("@")[0] or name for name in named]


def _items(kind: str, found: Sequence[Found], policies: Sequence[str], teams: Teams) -> list[Item]:
    # What the index says is only where to look: whether somebody may see a call, or labelled it, its rows say.
    ids = [entry.call_id for entry in found]
    calls = visible_calls(teams).defer("opening_bodies", "closing_bodies").in_bulk(ids)
    decisions = _decisions(kind, ids, policies)
    places = set(Review.objects.filter(call_id__in=ids).exclude(position=BY_CLIENT).values_list("call_id", "position"))
    items: list[Item] = []
    for id in ids:
        if id not in calls or (id, WHOLE_CALL) in places:
            continue
        judged = [each for each in decisions.get(id, ()) if (id, each.position) not in places]
        items += [Item(calls[id], each) for each in judged]
        if kind == REPORTED and id not in decisions:
            items.append(Item(calls[id], None))
    return items


def _decisions(kind: str, ids: Sequence[str], policies: Sequence[str]) -> dict[str, list[Decision]]:
    """By the ids of calls: the verdicts of that kind; of what a client reports, those that it may have meant."""
    kinds = ("blocked", "failed") if kind == REPORTED else (kind,)
    actions = [action for action, each in REVIEWED.items() if each in kinds]
    rows = Decision.objects.filter(call_id__in=ids, action__in=actions).order_by("call_id", "position")
    if policies:
        rows = rows.filter(policy__in=policies)
    return {id: list(group) for id, group in groupby(rows, key=lambda row: row.call_id)}


def of_call(call: CallRecord, decisions: Sequence[Decision]) -> tuple[list[Item], Review | None]:
    """What there is to label on a call: it, then each of its verdicts that did something or has a label.

    Beside it the report of its client, if there is one.
    """
    reviews = {review.position: review for review in Review.objects.filter(call_id=call.pk)}
    judged = [each for each in decisions if each.action in REVIEWED or each.position in reviews]
    items = [Item(call, None, reviews.get(WHOLE_CALL))]
    items += [Item(call, each, reviews.get(each.position)) for each in judged]
    return items, reviews.get(BY_CLIENT)
