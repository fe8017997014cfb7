"""Putting made-up calls on record: through the rows, chain and commits of real ones, into search index and sessions."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice
from random import Random
from types import SimpleNamespace
from typing import Any, NamedTuple, cast

import orjson
from django.db import connection

from observability.recording.committer import Committer
from observability.recording.inbox import Inbox, Queued
from observability.recovery.spill import Spill
from observability.rows.chain import NONCE_BYTES
from observability.rows.database import connect
from observability.rows.decisions import decision_row
from observability.rows.entries import CallFacts, Closing, Opening, Outcome, ReleasedBlock
from observability.rows.statements import PAYLOADS
from observability.rows.timings import Timings
from observability.search import indexing
from observability.search.marks import Judgement
from observability.search.texts import called_tools, new_text
from observability.sessions import rollup
from observability.sessions.steps import Steps, steps_of
from policies.content import Block, Message, Request, RequestBlock, Response, Text, ToolCall, ToolResult, Usage
from policies.verdicts import Decision

from .story import Turn, story

WEEKS = 6
AT_ONCE = 200
"""Calls in a transaction: few enough that a gateway beside it never waits long."""


def seed(calls: int, *, until: datetime | None = None, seed: int = 1) -> Iterator[int]:
    """Puts `calls` calls on record, spread over WEEKS weeks up to `until`; yields how many are, step by step.

    The database has to be there: what it refuses is raised.
    """
    random, end = Random(seed), until or datetime.now(UTC)  # noqa: S311
    turns = story(calls, end - timedelta(weeks=WEEKS), end, random)
    # While one thread writes, which is the database's work for the most part, this one makes up what comes next.
    with ThreadPoolExecutor(1) as thread:
        writing = thread.submit(_Writing).result()
        done: Future[int] | None = None
        try:
            while chunk := list(islice(turns, AT_ONCE)):
                entries = [_closing(turn, writing.boot_id, random) for turn in chunk]
                indexed = list(map(_indexed, chunk, entries))
                if done is not None:
                    yield done.result()
                done = thread.submit(writing.write, entries, indexed)
            if done is not None:
                yield done.result()
        finally:
            thread.submit(writing.end).result()


class _Writing:
    """The connections that calls are written through; one thread's alone."""

    def __init__(self) -> None:
        self._committer = Committer(connect(connection.settings_dict), Inbox(), Spill(), find_orphans=False)
        self._written = 0
        self.boot_id = self._committer.ownership.boot_id

    def write(self, entries: Sequence[Closing], indexed: Sequence[_Indexed]) -> int:
        """Returns how many calls were written, with these."""
        self._committer.add([Queued(entry, None, entry.size, time.monotonic()) for entry in entries])
        self._committer.flush()
        if not self._committer.is_idle:
            raise RuntimeError("the database does not take the calls")
        indexing.insert([each.entry for each in indexed])
        rollup.add((each.call, each.steps) for each in indexed)
        self._written += len(entries)
        return self._written

    def end(self) -> None:
        self._committer.leave()
        connection.close()


class _Indexed(NamedTuple):
    """A call's columns, and what the index would make of it, without reading it back."""

    call: Any
    steps: Steps
    entry: indexing.Entry


def _indexed(turn: Turn, closing: Closing) -> _Indexed:
    facts, fields = closing.opening.facts, closing.fields
    call = SimpleNamespace(
        id=facts.id,
        started_at=turn.at,
        closed_at=closing.closed_at,
        request_headers=facts.request_headers,
        team=facts.team,
        key=facts.key,
        session=facts.session,
        model=facts.model,
        provider=fields["provider"],
        outcome=closing.outcome,
        status=fields["status"],
        changed_request=fields["changed_request"],
        changed_response=fields["changed_response"],
        input_tokens=closing.usage.input_tokens if closing.usage else None,
        output_tokens=closing.usage.output_tokens if closing.usage else None,
        cost_microdollars=fields["cost_microdollars"],
        total_ms=turn.milliseconds,
    )
    requests = [_request(turn.asked)]
    if turn.forwarded is not turn.asked and closing.forwarded:
        requests.append(_request(turn.forwarded))
    said = given = [Response(blocks=_blocks(turn.said))] if turn.said else []
    if turn.given is not turn.said and turn.given:
        given = [Response(blocks=_blocks(turn.given))]
    text = new_text(requests, said if given is said else [*said, *given], from_the_start=False)
    judgements = [Judgement(each[0], each[1], each[3]) for each in turn.judged]
    entry = indexing.entry(call, judgements, called_tools(said), text)
    return _Indexed(call, steps_of(_whole(turn), said, given), entry)


def _whole(turn: Turn) -> Request:
    """All that was asked, as far as the steps of a conversation need it; of earlier turns it was read then."""
    read, messages = turn.talk.read, turn.asked["messages"]
    read += (Message(each["role"], _asked(each["content"])) for each in messages[len(read) :])
    return Request(turn.asked["model"], tuple(read[: len(messages)]))


def _asked(content: str | list[dict[str, Any]]) -> tuple[RequestBlock, ...]:
    if isinstance(content, str):
        return (Text(content),)
    return tuple(ToolResult(each["tool_use_id"]) if "tool_use_id" in each else _block(each) for each in content)


def _request(body: dict[str, Any]) -> Request:
    """The part of a request that is new."""
    first, last = len(body["messages"]) == 1, body["messages"][-1]["content"]
    text = last if isinstance(last, str) else last[0]["content"]
    system = (Text(body["system"]),) if first else ()
    before = () if first else (Message("assistant", ()),)
    return Request(body["model"], (*before, Message("user", (Text(text),))), system=system)


def _blocks(answer: dict[str, Any]) -> tuple[Block, ...]:
    return tuple(_block(block) for block in answer["content"])


def _block(block: dict[str, Any]) -> Block:
    if block["type"] == "tool_use":
        return ToolCall(block["id"], block["name"], orjson.dumps(block["input"]).decode())
    return Text(block["text"])


def _closing(turn: Turn, boot_id: str, random: Random) -> Closing:
    """The whole call as one entry, as a recorder would have handed it over."""
    talk, asked = turn.talk, orjson.dumps(turn.asked)
    name, provider, price_in, price_out = talk.model
    nonces = random.randbytes(NONCE_BYTES * len(PAYLOADS))
    opening = Opening(_facts(turn, asked, random), "", boot_id, turn.at, nonces, [])
    sent = turn.outcome != "refused"
    status = {"refused": 429, "upstream_error": 529}.get(turn.outcome, 200)
    attempt = {"provider": provider, "model": name, "status": status, "error": "", "ms": turn.milliseconds}
    decisions = [_decision(place, each) | {"block": _about(turn, each[2])} for place, each in enumerate(turn.judged)]
    blocks = list(_released(turn))
    original = [orjson.dumps(turn.said)] if turn.said else []
    final = [orjson.dumps(turn.given)] if turn.given is not turn.said else original
    cost = int(turn.input_tokens * price_in + turn.output_tokens * price_out)
    return Closing(
        opening=opening,
        closed_at=turn.at + timedelta(milliseconds=turn.milliseconds),
        outcome=cast(Outcome, turn.outcome),
        fields={
            "changed_request": turn.forwarded is not turn.asked,
            "changed_response": turn.given is not turn.said,
            "provider": provider if sent else "",
            "upstream_model": name if sent else "",
            "upstream_dialect": "",
            "status": status,
            "error_kind": "overloaded_error" if status == 529 else "rate_limit_error" if status == 429 else "",
            "error_message": "",
            "cost_microdollars": cost if sent else None,
            "released_bytes": sum(map(len, final)),
            "policies": ", ".join(f"{policy}@{version}" for policy, version, *_ in turn.judged),
            "trace_id": "",
            "response_headers": [("content-type", "application/json")],
            "attempts": [attempt] if sent else [],
            "notes": [],
            "truncated": [],
        },
        usage=Usage(turn.input_tokens, turn.output_tokens) if turn.said else None,
        timings=Timings(turn.milliseconds * 0.3, turn.milliseconds * 0.31, turn.milliseconds, 2.0, 0.4),
        forwarded=(asked if turn.forwarded is turn.asked else orjson.dumps(turn.forwarded)) if sent else None,
        original=original,
        final=final,
        size=len(asked),
        blocks=[block.row for block in blocks],
        decisions=decisions,
        unsent_blocks=blocks,
        unsent=decisions,
    )


def _facts(turn: Turn, asked: bytes, random: Random) -> CallFacts:
    talk = turn.talk
    milliseconds = int(turn.at.timestamp() * 1000)
    return CallFacts(
        id=f"call_{milliseconds:012x}{random.getrandbits(80):020x}",
        key=talk.key,
        team=talk.team,
        session=talk.session,
        model=talk.model[0],
        dialect="anthropic",
        path="/messages",
        streamed=False,
        request_headers=[("user-agent", "seed_calls")],
        request_body=asked,
        snapshot=1,
    )


def _about(turn: Turn, hook: str) -> str:
    """What a hook decides about, as the executor names it."""
    if hook == "on_tool_call" and turn.said:
        return f"tool_call {turn.said['content'][-1]['id']}"
    return "request" if hook == "on_request" else "text 0"


@cache
def _decision(place: int, judged: tuple[str, int, str, str]) -> dict[str, Any]:
    policy, version, hook, action = judged
    reason = {"block": "recursive delete (rm)", "replace": "a secret was removed"}.get(action, "")
    decision = Decision(policy, version, "enforce", hook, "", action, reason, 5.0 + place, 0.3)
    return decision_row(place, decision, late=False)


def _released(turn: Turn) -> Iterator[ReleasedBlock]:
    for place, block in enumerate(_blocks(turn.given) if turn.given else ()):
        yield ReleasedBlock.of(block, place, turn.milliseconds)
