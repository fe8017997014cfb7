"""What is told of a call while it happens, and the same made again from its rows. Pure.

An event is a mapping that JSON can say: ids, names, numbers and one line of summary, never a body. Its `id` is the same
however it was made, live or from the record, so whoever gets it twice can tell. `at` is in microseconds since 1970.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from observability.text import clean, clean_name

Event = dict[str, Any]
Row = Mapping[str, Any]

KINDS = {
    "request_received": "Request received",
    "request_sent": "Request sent",
    "answer_received": "Answer received",
    "answer_sent": "Answer sent",
    "original_block": "Original block",
    "verdict": "Verdict",
    "final_block": "Final block",
    "finished": "Finished",
}
"""The kinds of events, in the order in which a call usually comes by them, and how pages name them."""

SUMMARY = 300
"""Characters of a summary, at most."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def moment(at: int) -> datetime:
    return _EPOCH + at * _MICROSECOND


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose events these are. `started` is in microseconds since 1970."""

    call: str
    team: str
    key: str
    session: str
    model: str
    started: int

    @classmethod
    def of(cls, call: str, team: str, key: str, session: str, model: str, started_at: datetime) -> Subject:
        """Names as the record keeps them."""
        return cls(call, clean_name(team), clean_name(key), clean_name(session), clean_name(model), micros(started_at))

    def event(self, kind: str, number: int | None, ms: float, summary: str, **more: Any) -> Event:
        """The `number`th of its kind, `ms` after the call began; None where there is one at most."""
        return {
            "id": f"{self.call}/{kind}" if number is None else f"{self.call}/{kind}/{number}",
            "kind": kind,
            "at": self.started + round(ms * 1000),
            "call": self.call,
            "team": self.team,
            "key": self.key,
            "session": self.session,
            "model": self.model,
            "summary": clean(summary, SUMMARY),
            **more,
        }


def request_received(subject: Subject, path: str, streamed: bool, size: int | None = None) -> Event:
    """`size` in bytes; None where only the record is there to tell."""
    how = "streamed" if streamed else "whole"
    summary = f"{path.partition('?')[0]}, {how}" + ("" if size is None else f", {size} bytes")
    return subject.event("request_received", None, 0.0, summary, streamed=streamed)


def request_sent(subject: Subject, ms: float, number: int, attempt: Row) -> Event:
    """The `number`th attempt leaves for a provider."""
    provider, model = clean_name(attempt["provider"]), clean_name(attempt["model"])
    return subject.event("request_sent", number, ms, f"to {provider} as {model}", provider=provider)


def answer_received(subject: Subject, ms: float, number: int, attempt: Row) -> Event:
    """The head of the provider's answer to the `number`th attempt is here."""
    provider, status = clean_name(attempt["provider"]), attempt["status"]
    return subject.event("answer_received", number, ms, f"{status} from {provider}", provider=provider, status=status)


def answer_sent(subject: Subject, ms: float, status: int) -> Event:
    """The head of the answer leaves for the client."""
    return subject.event("answer_sent", None, ms, f"{status} to the client", status=status)


def original_block(subject: Subject, ms: float, number: int, kind: str, tool: str, size: int) -> Event:
    """A block as the model said it; `size` in characters of its text or arguments."""
    return _block(subject, "original_block", number, ms, kind, tool, f", {size} characters")


def final_block(subject: Subject, row: Row) -> Event:
    """A block as the client gets it; `row` as the record keeps it."""
    place = row["position"], row["released_at_ms"]
    return _block(subject, "final_block", *place, row["kind"], row["tool_name"], "")


def verdict(subject: Subject, row: Row) -> Event:
    """A decision; `row` as `rows.decisions` makes it and the record keeps it."""
    action, reason = row["action"], row["reason"]
    said = _decided(action, row["block"]) + (f": {reason}" if reason else "")
    more = {name: row[name] for name in ("policy", "version", "mode", "hook", "block", "late")}
    took = round(row["took_ms"], 3)
    return subject.event("verdict", row["position"], row["at_ms"], said, verdict=action, took_ms=took, **more)


def without_words(event: Event) -> Event:
    """The event for eyes that may not see what is said: all that an event quotes is the reason of a verdict."""
    if event["kind"] != "verdict":
        return event
    return {**event, "summary": clean(_decided(event["verdict"], event["block"]), SUMMARY)}


def finished(subject: Subject, row: Row) -> Event:
    """The call is over; `row` has the columns of its record that the closing writes."""
    total = row["total_ms"] or 0.0
    tokens = f"{_count(row['input_tokens'])} in, {_count(row['output_tokens'])} out"
    summary = f"{row['outcome'].replace('_', ' ')} after {total:.0f} ms; tokens: {tokens}"
    more = {name: row[name] for name in ("outcome", "status", "input_tokens", "output_tokens", "cost_microdollars")}
    changed = bool(row["changed_request"] or row["changed_response"])
    return subject.event("finished", None, total, summary, changed=changed, total_ms=round(total, 3), **more)


def of_record(call: Row, blocks: Iterable[Row], decisions: Iterable[Row]) -> Iterator[Event]:
    """The events of a call that its rows can tell, in the order in which they happened.

    The record knows how attempts ended, not when each began, so these stand at the head of the last answer.
    """
    names = (call["team"], call["key"], call["session"], call["model"])
    subject = Subject.of(call["id"], *names, call["started_at"])
    over = call["outcome"] != "open"
    events = [request_received(subject, call["path"], call["streamed"])]
    events += _attempts(subject, call) if over else []
    events += [verdict(subject, row) for row in decisions]
    events += [final_block(subject, row) for row in blocks]
    last = [finished(subject, call)] if over else []
    yield from sorted(events, key=lambda event: int(event["at"]))
    yield from last


def _attempts(subject: Subject, call: Row) -> Iterator[Event]:
    answered = call["upstream_head_ms"] or 0.0
    for number, attempt in enumerate(call["attempts"]):
        yield request_sent(subject, 0.0, number, attempt)
        if attempt["status"] is not None:
            yield answer_received(subject, answered, number, attempt)
    if call["status"] is not None:
        yield answer_sent(subject, max(answered, call["first_event_ms"] or 0.0), call["status"])


def _block(subject: Subject, event: str, number: int, ms: float, kind: str, tool: str, more: str) -> Event:
    tool = clean_name(tool)
    said = f"{kind.replace('_', ' ')} {tool}".rstrip() + more
    return subject.event(event, number, ms, said, block_kind=kind, tool=tool)


def _decided(action: str, block: str) -> str:
    words = {"replace": "changed", "block": "blocked", "allow": "allowed", "stop": "stopped"}
    return f"{words.get(action, action.replace('_', ' '))} {block}"


def _count(number: int | None) -> str:
    return "unknown" if number is None else str(number)
