"""A session as its page shows it: threads of calls, each call a line, without bodies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q

from observability.activity.events import micros
from observability.hiding import redacted
from observability.models import Block, Decision, SessionCall
from observability.presentation import action_tone, outcome_tone
from observability.viewers import Sight

from .drawing import Drawing, Moment, draw
from .listing import records
from .rollup import READ
from .steps import Called
from .story import Thread, Told, Turn, tell

MOST = 1_000
"""Calls of a session that are shown, the newest; the others are in the list of calls."""
STOPPING = ("block", "stop", "refuse", "failed_closed")
CALL = (
    *("id", "team", "key", "model", "started_at", "closed_at", "outcome", "status", "error_kind", "first_event_ms"),
    *("total_ms", "input_tokens", "output_tokens", "cost_microdollars", "changed_request", "changed_response"),
)
DECISION = ("call_id", "policy", "version", "mode", "hook", "block", "action", "reason", "at_ms", "late")

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool call of an answer. `at` is in microseconds: when it was released, or judged."""

    id: str
    name: str
    tone: str
    verdict: str
    at: int


@dataclass(slots=True)
class Line:
    """A call in its thread. `verdicts` are those that did more than let pass; `under` are the subagents of it."""

    call: Row
    turn: Turn
    is_first: bool
    verdicts: list[Row]
    tools: list[Tool]
    under: list[Talk] = field(default_factory=list)

    @property
    def is_bad(self) -> bool:
        """Whether a policy stopped something, or the call failed."""
        stopped = any(each["action"] in STOPPING and each["mode"] == "enforce" for each in self.verdicts)
        return stopped or outcome_tone(self.call["outcome"]) in ("blocked", "failed")

    @property
    def begins_anew(self) -> bool:
        """Whether the client dropped what was said before in this thread."""
        return not self.is_first and not self.turn.after

    @property
    def state(self) -> str:
        """Changes where the line would look otherwise."""
        return f"{self.call['outcome']}-{len(self.verdicts)}-{len(self.tools)}"


@dataclass(slots=True)
class Talk:
    """A thread with its lines."""

    thread: Thread
    lines: list[Line]


@dataclass(frozen=True, slots=True)
class Story:
    """All threads of a session. `is_cut`: it has more calls than these. `is_behind`: some are not read yet."""

    talks: list[Talk]
    is_cut: bool
    is_behind: bool

    @property
    def roots(self) -> list[Talk]:
        """Those that work under nobody, the main one first."""
        nested = {each.thread.id for line in self.lines for each in line.under}
        roots = [talk for talk in self.talks if talk.thread.id not in nested]
        return sorted(roots, key=lambda talk: talk.thread.kind != "main")

    @property
    def lines(self) -> list[Line]:
        """All of them, in the order of time."""
        lines = [line for talk in self.talks for line in talk.lines]
        return sorted(lines, key=lambda line: (line.call["started_at"], line.call["id"]))

    @property
    def drawing(self) -> Drawing:
        """The tool calls along the time."""
        moments = [
            Moment(tool.at, talk.thread.id, line.call["id"], tool.tone, f"{tool.name}: {tool.verdict}")
            for talk in self.talks
            for line in talk.lines
            for tool in line.tools
        ]
        return draw(moments, [talk.thread.id for talk in self.talks])


def story_of(session: str, sight: Sight, most: int | None = MOST) -> Story:
    """What somebody with that sight may see of the session: its newest `most` calls."""
    newest = records(session, sight.teams).order_by("-started_at", "-id").values(*CALL)
    calls = list(newest[: None if most is None else most + 1])
    is_cut = most is not None and len(calls) > most
    calls = calls[:most][::-1]
    ids = [call["id"] for call in calls]
    read = {row["call_id"]: row for row in SessionCall.objects.filter(pk__in=ids).values("call_id", *READ)}
    # One whose place is not known yet would stand by itself, and move.
    told = [call for call in calls if call["id"] in read]
    threads = tell(_told(call, read[call["id"]]) for call in told)
    lines = _lines(told, read, threads, sight.bodies)
    talks = [Talk(thread, [lines[turn.call] for turn in thread.turns]) for thread in threads]
    for talk in talks:
        if talk.thread.under:
            lines[talk.thread.under].under.append(talk)
    return Story(talks, is_cut, len(told) < len(calls))


def _told(call: Row, read: Row) -> Told:
    at = micros(call["started_at"])
    answered = call["first_event_ms"] if call["first_event_ms"] is not None else call["total_ms"]
    return Told(
        id=call["id"],
        at=at,
        answered_at=None if answered is None else at + round(answered * 1000),
        request=bytes(read["steps"]),
        answer=bytes(read["answer"]),
        opening=read["opening"],
        setting=read["setting"],
        agent=read["agent"],
        parent_agent=read["parent_agent"],
        texts=read["texts"],
        tools=_tools(read),
        results=read["results"],
    )


def _tools(read: Row) -> list[Called]:
    return [Called(each["id"], each["name"], tuple(each["asks"])) for each in read["tools"]]


def _lines(calls: Sequence[Row], read: Mapping[str, Row], threads: Iterable[Thread], words: bool) -> dict[str, Line]:
    ids = [call["id"] for call in calls]
    judged: defaultdict[str, list[Row]] = defaultdict(list)
    decisions = Decision.objects.filter(Q(hook="on_tool_call") | ~Q(action="allow"), call_id__in=ids)
    for decision in decisions.order_by("call_id", "position").values(*DECISION):
        reason = decision["reason"] if words else redacted(decision["reason"])
        judged[decision["call_id"]].append({**decision, "reason": reason})
    released: dict[tuple[str, str], float] = {
        (block["call_id"], block["tool_call_id"]): block["released_at_ms"]
        for block in Block.objects.filter(call_id__in=ids, kind="tool_call")
        .order_by()
        .values("call_id", "tool_call_id", "released_at_ms")
    }
    by_id = {call["id"]: call for call in calls}
    return {
        turn.call: Line(
            by_id[turn.call],
            turn,
            turn is thread.turns[0],
            [each for each in judged[turn.call] if each["action"] != "allow"],
            [
                _tool(by_id[turn.call], called, judged[turn.call], released.get((turn.call, called.id)))
                for called in _tools(read[turn.call])
            ],
        )
        for thread in threads
        for turn in thread.turns
    }


def _tool(call: Row, called: Called, decisions: Iterable[Row], released_at: float | None) -> Tool:
    mine = [each for each in decisions if each["mode"] == "enforce" and each["block"].rpartition(" ")[2] == called.id]
    told = next((each for each in mine if each["action"] not in ("allow", "not_reached")), mine[0] if mine else None)
    ms = released_at if released_at is not None else told["at_ms"] if told else call["total_ms"] or 0.0
    at = micros(call["started_at"]) + round(ms * 1000)
    if told is None:
        return Tool(called.id, called.name, "idle", "released" if released_at is not None else "not released", at)
    return Tool(called.id, called.name, action_tone(told["action"]), told["action"].replace("_", " "), at)
