"""A replay is the call once more: streamed or not, in every dialect, with nobody asked and nothing on record."""

from __future__ import annotations

import json
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.console.replay import Judges, Material, Replayed, replay
from gateway.dialects import DIALECTS
from observability.diffs.blocks import Block
from policies.active import ActivePolicy, Scope
from policies.base import Call, Policy
from policies.content import Request, Response, Text, ToolCall
from policies.registry import build
from policies.verdicts import Mode, Verdict, allow, block, refuse, reroute, respond, retry
from tests.streams import STREAMED, answers, recordings

ASKED: dict[str, dict[str, Any]] = {
    "anthropic": {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hello"}]},
    "openai_chat": {"model": "m", "messages": [{"role": "user", "content": "hello"}]},
    "openai_responses": {"model": "m", "input": "hello"},
}
CHAINS: dict[str, dict[str, Any]] = {
    "uppercase": {},
    "tool_filter": {"deny": ["*"]},
    "string_replacement": {"rules": [{"find": "e", "replace": "ee"}], "tool_arguments": True},
}
SPLIT = {"interleaved_blocks", "finish_with_content", "one_chunk"}
"""Streams that no writer would write so, and that are put in order even where nobody judges."""
BOTH = [
    (dialect, name)
    for dialect in STREAMED
    for name in sorted(dict(answers(dialect)).keys() & dict(recordings(dialect)).keys())
]


def material(dialect: str, answer: bytes | None, **asked: Any) -> Material:
    streamed = asked.get("stream", False)
    return Material(
        dialect=dialect,
        path="/messages",
        request=json.dumps({**ASKED[dialect], **asked}).encode(),
        answer=answer,
        answer_headers=[("content-type", "text/event-stream" if streamed else "application/json")],
        provider="recorded",
        key="ci",
        team="payments",
        id="call_1",
    )


def options(dialect: str, name: str) -> dict[str, Any]:
    choices = {"n": 2} if name.startswith("two_choices") else {}
    usage = {"stream_options": {"include_usage": True}} if dialect == "openai_chat" else {}
    return {"stream": True, **usage, **choices}


def active(policy: Policy, mode: Mode = "enforce", **terms: Any) -> ActivePolicy:
    return ActivePolicy("draft", 1, policy, mode, **terms)


def said(answer: str) -> Material:
    """A call that was answered with this text, unstreamed."""
    whole = {**json.loads(dict(answers("anthropic"))["text"]), "content": [{"type": "text", "text": answer}]}
    return material("anthropic", json.dumps(whole).encode())


def shape(blocks: list[Block]) -> list[Block]:
    """Blocks without the ids that the two forms of an answer may tell apart."""
    return [{name: value for name, value in each.items() if name != "id"} for each in blocks]


def decided(result: Replayed) -> list[tuple[str, str, str]]:
    return sorted((each.policy, each.hook, each.action) for each in result.decisions)


@pytest.mark.parametrize(
    ("dialect", "name", "raw"),
    [(dialect, name, raw) for dialect in STREAMED for name, raw in recordings(dialect)],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_without_a_policy_a_stream_comes_out_as_it_was(dialect: str, name: str, raw: bytes) -> None:
    result = await replay(material(dialect, raw, **options(dialect, name)), [])
    if name not in SPLIT:
        assert result.wire == raw
    told = [DIALECTS[dialect].read_recorded(wire, streamed=True) for wire in (raw, result.wire)]
    assert told[0] == told[1]
    assert result.answer_before == result.answer_after
    assert result.fate == "allowed"


@pytest.mark.parametrize(("dialect", "name"), BOTH)
@pytest.mark.parametrize("policy", CHAINS)
async def test_a_stream_and_its_whole_answer_are_judged_alike(dialect: str, name: str, policy: str) -> None:
    chain = [active(build(policy, CHAINS[policy]))]
    streamed = await replay(material(dialect, dict(recordings(dialect))[name], **options(dialect, name)), chain)
    whole = await replay(material(dialect, dict(answers(dialect))[name]), chain)
    assert decided(streamed) == decided(whole)
    assert shape(streamed.answer_after) == shape(whole.answer_after)
    assert streamed.fate == whole.fate


async def test_what_is_written_is_what_the_events_say() -> None:
    result = await replay(said("hello there"), [active(build("uppercase", {}))])
    (told,) = DIALECTS["anthropic"].read_recorded(result.wire, streamed=False)
    assert told.text == "HELLO THERE"
    assert (result.fate, result.changed_answer, result.changed_request) == ("rewritten", True, False)
    assert [each["text"] for each in result.answer_before] == ["hello there"]


class Does(Policy):
    """Decides as it is told, on requests and on texts."""

    def __init__(self, on_request: Verdict | None = None, on_text: Verdict | None = None) -> None:
        super().__init__()
        self._request, self._text = on_request or allow(), on_text or allow()

    async def on_request(self, request: Request, call: Call) -> Verdict:
        return self._request

    async def on_text(self, text: Text, call: Call) -> Verdict:
        return self._text


@pytest.mark.parametrize(
    ("policy", "outcome", "fate"),
    [
        (Does(), "finished", "allowed"),
        (Does(on_request=block("no")), "blocked", "blocked"),
        (Does(on_request=refuse(429, "slow")), "refused", "blocked"),
        (Does(on_request=respond("hello")), "finished", "rewritten"),
        (Does(on_request=reroute("other")), "finished", "rewritten"),
        (Does(on_text=block("no")), "blocked", "blocked"),
    ],
)
async def test_every_verdict_has_its_fate(policy: Policy, outcome: str, fate: str) -> None:
    result = await replay(said("hello"), [active(policy)])
    assert (result.outcome, result.fate) == (outcome, fate)
    assert result.wire


async def test_a_reason_is_told_with_who_gave_it() -> None:
    assert (await replay(said("hello"), [active(Does(on_text=block("too loud")))])).reason == "draft: too loud"
    assert (await replay(said("hello"), [])).reason == ""


async def test_a_shadow_policy_is_waited_for_and_changes_nothing() -> None:
    result = await replay(said("hello"), [active(Does(on_text=block("no")), mode="shadow")])
    assert ("draft", "on_text", "block") in decided(result)
    assert (result.fate, result.answer_after) == ("allowed", result.answer_before)


async def test_a_policy_for_others_is_not_asked() -> None:
    chain = [active(Does(on_request=block("no")), scope=Scope(teams=("other",)))]
    assert (await replay(said("hello"), chain)).decisions == []


async def test_what_was_never_answered_is_judged_as_far_as_it_goes() -> None:
    result = await replay(material("anthropic", None), [active(Does())])
    assert (result.outcome, result.known, result.wire, result.fate) == ("unanswered", False, b"", "allowed")
    assert result.forwarded is not None
    blocked = await replay(material("anthropic", None), [active(Does(on_request=block("no")))])
    assert (blocked.outcome, blocked.known, blocked.fate) == ("blocked", True, "blocked")


class AsksAgain(Policy):
    async def on_answer(self, response: Response, call: Call) -> Verdict:
        return retry("other")


async def test_a_second_answer_is_not_on_record() -> None:
    result = await replay(said("hello"), [active(AsksAgain())])
    assert (result.outcome, result.known, result.wire) == ("unanswered", False, b"")


async def test_a_request_that_cannot_be_read_is_refused_as_it_was() -> None:
    broken = Material("anthropic", "/messages", b"[]", None)
    result = await replay(broken, [active(Does())])
    assert (result.outcome, result.decisions) == ("refused", [])


class Fails(Policy):
    async def on_tool_call(self, tool_call: ToolCall, call: Call) -> Verdict:
        return allow()

    async def on_text(self, text: Text, call: Call) -> Verdict:
        raise ValueError(text.text)


async def test_a_policy_that_fails_in_a_replay_rings_no_alarm() -> None:
    with capture_logs() as logs:
        result = await replay(said("hello"), [active(Fails(), on_failure="open")])
    assert [each.action for each in result.decisions] == ["failed_open"]
    assert logs == []
    assert (await replay(said("hello"), [active(Fails())])).fate == "blocked"


async def test_events_stand_with_what_they_released() -> None:
    raw = dict(recordings("anthropic"))["text"]
    result = await replay(material("anthropic", raw, stream=True), [active(Does())])
    came = [event for step in result.steps for event in step.came]
    released = [event for step in result.steps for event in step.released]
    assert [type(event) for event in came] == [type(event) for event in released]
    assert len([step for step in result.steps if not step.released]) > 1


class AsksAJudge(Policy):
    async def on_text(self, text: Text, call: Call) -> Verdict:
        from pydantic import BaseModel

        class Opinion(BaseModel):
            harmful: bool

        opinion = await call.ask("judge", "Is it harmful?", text.text, Opinion)
        return block("harmful") if opinion.harmful else allow()


async def test_a_judge_that_may_not_be_asked_leaves_the_call_undecided() -> None:
    judges = Judges()
    result = await replay(said("hello"), [active(AsksAJudge())], judges)
    assert (result.fate, result.unasked, judges.unasked) == ("undecided", 1, 1)


async def test_what_a_judge_said_once_it_says_again_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    async def judge(*arguments: Any) -> dict[str, Any]:
        asked.append(arguments)
        return {"harmful": True}

    async def nowhere() -> None:
        return None

    monkeypatch.setattr("gateway.console.replay.judges.judge.ask", judge)
    monkeypatch.setattr("gateway.console.replay.judges.directory.current", nowhere)
    first = Judges(may_be_asked=True)
    assert (await replay(said("hello"), [active(AsksAJudge())], first)).fate == "blocked"
    again = Judges(answers=first.answers)
    assert (await replay(said("hello"), [active(AsksAJudge())], again)).fate == "blocked"
    assert len(asked) == 1
    assert (await replay(said("bye"), [active(AsksAJudge())], again)).fate == "undecided"


class AsksAService(Policy):
    async def on_text(self, text: Text, call: Call) -> Verdict:
        return block("told so") if await call.fetch("https://service.invalid/", b"{}") == b"no" else allow()


async def test_a_service_is_asked_only_where_it_may_be_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    async def fetch(*arguments: Any) -> bytes:
        asked.append(arguments)
        return b"no"

    monkeypatch.setattr("gateway.console.replay.judges.fetching.fetch", fetch)
    assert (await replay(said("hello"), [active(AsksAService())], Judges())).fate == "undecided"
    first = Judges(may_be_asked=True)
    assert (await replay(said("hello"), [active(AsksAService())], first)).fate == "blocked"
    again = Judges(answers=json.loads(json.dumps(first.answers)))
    assert (await replay(said("hello"), [active(AsksAService())], again)).fate == "blocked"
    assert len(asked) == 1
