"""Every example of every policy of the library, by every client on every provider, streamed and not.

Nothing here is written for one policy: what a policy declares that it does is what it has to do everywhere.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, assert_never

import pytest
from pytest_django import Settings

from gateway import counting, fetching, session_memory
from gateway.calls import Head, Incoming
from gateway.dialects import DIALECTS
from gateway.directory import Client, Directory, Route, Target, snapshot
from gateway.judge_memory import JudgeMemory
from gateway.live_call import LiveCall
from gateway.pipeline import run_call
from observability.rows.entries import Closing
from policies.active import ActivePolicy, ActiveSet
from policies.content import Request, Text, ToolCall
from policies.counting import Counters, MemoryStore
from policies.memory import ProcessMemory
from policies.registry import catalogue
from policies.testing import judge as verdict_of
from policies.testing import judged_by, new_blocks, new_request
from tests.gateway.conforming import CLIENTS, Said, SdkClient
from tests.gateway.examples_played import MARK, Case, Saying, cases, judge
from tests.gateway.running import Collected, Sent
from tests.gateway.test_fetching import service

CALL_ID = "call_1"
PASSIVE = {"noop", "debug_logging"}
"""Policies that change nothing, whatever they see."""
HOOKS: dict[type, frozenset[str]] = {
    Request: frozenset({"on_request"}),
    Text: frozenset({"on_text", "on_text_delta"}),
    ToolCall: frozenset({"on_tool_call"}),
}
"""Where what an example sees is judged; what `on_event` does is no verdict, and shows in the answer alone."""
every_case = pytest.mark.parametrize("case", cases(), ids=str)
every_cell = pytest.mark.parametrize(
    ("client", "provider", "stream"),
    [
        pytest.param(client, other.dialect.name, stream, id=f"{client.dialect.name} on {other.dialect.name}, {how}")
        for client, other, (stream, how) in itertools.product(CLIENTS, CLIENTS, [(True, "streamed"), (False, "whole")])
    ],
)
Verdicts = list[tuple[str, str, str, Any]]


@dataclass
class Played:
    """A cell: the answer as its client got it, what the provider was sent, and the record."""

    status: int
    body: bytes
    asked: list[bytes]
    record: Closing

    @property
    def verdicts(self) -> Verdicts:
        """Hook, action, reason and score of each, without what judges cost."""
        made = [row for row in self.record.decisions if row["hook"] != "ask"]
        return sorted((row["hook"], row["action"], row["reason"], row["score"]) for row in made)


@pytest.fixture(autouse=True)
async def house(settings: Settings) -> AsyncIterator[None]:
    """What a test opened is closed in its own loop."""
    settings.LUTHIEN_PRIVATE_HOSTS = ["127.0.0.0/8"]
    settings.LUTHIEN_URL = "https://luthien.example"
    yield
    await fetching.stop()


async def play(monkeypatch: pytest.MonkeyPatch, case: Case, client: SdkClient, provider: str, stream: bool) -> Played:
    answer = json.dumps(case.example.judge_says).encode()
    async with service(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(answer), answer)) as (url, _):
        policy = ActivePolicy("guard", 1, case.policy_made(url))
        return await _called(monkeypatch, case, client, provider, stream, ActiveSet(1, (policy,)))


async def _called(
    monkeypatch: pytest.MonkeyPatch, case: Case, client: SdkClient, provider: str, stream: bool, active: ActiveSet
) -> Played:
    collected = Collected()
    # Nothing is counted or remembered from one cell to the next.
    monkeypatch.setattr("gateway.judge._remembered", JudgeMemory())
    monkeypatch.setattr(counting, "count", Counters(MemoryStore()).count)
    monkeypatch.setattr(session_memory, "_memory", ProcessMemory())
    monkeypatch.setattr("observability.recording.writer.current", lambda: collected)
    monkeypatch.setattr(snapshot, "SPEAKS", {"their own": frozenset({provider}), "demo": snapshot.SPEAKS["demo"]})
    model = Saying(*case.answer())
    theirs = Route("*", Target("theirs", "their own", "", model, translated=provider))
    directory = Directory.of(1, active, {}, [Route("fast", Target("judges", "demo", "fast", judge(case))), theirs])
    incoming = Incoming(
        client.dialect,
        Client("plain", "", True, False, 1),
        "POST",
        client.path,
        {"content-type": "application/json"},
        case.body(client.dialect, stream),
        id=CALL_ID,
    )
    sent = Sent()
    await run_call(await LiveCall.of(incoming, directory), sent)
    head, *rest = sent.pieces
    assert isinstance(head, Head)
    body = head.body if head.body is not None else b"".join(piece for piece in rest if isinstance(piece, bytes))
    (record,) = (entry for entry in collected.entries if isinstance(entry, Closing))
    assert b"".join(record.final) == body
    return Played(head.status, body, model.asked, record)


_references: dict[str, Verdicts] = {}


async def reference(monkeypatch: pytest.MonkeyPatch, case: Case) -> Verdicts:
    """The verdicts of one cell, which those of all the others have to be."""
    if str(case) not in _references:
        played = await play(monkeypatch, case, CLIENTS[0], CLIENTS[0].dialect.name, False)
        _references[str(case)] = played.verdicts
    return _references[str(case)]


@every_cell
@every_case
async def test_an_example_is_true_for_every_client_on_every_provider(
    monkeypatch: pytest.MonkeyPatch, case: Case, client: SdkClient, provider: str, stream: bool
) -> None:
    played = await play(monkeypatch, case, client, provider, stream)
    assert played.verdicts == await reference(monkeypatch, case)
    if not case.policy_made().overrides("on_event"):
        hooks = HOOKS[type(case.sees)]
        judged = {action for hook, action, _, _ in played.verdicts if hook in hooks} or {"allow"}
        assert judged == {case.example.does}
    assert MARK.encode() not in played.body
    match case.sees:
        case Request() as request:
            await check_request(case, request, played, client, provider, stream)
        case Text(text):
            check_text(case, text, played, client.read(played.status, played.body, stream), client)
        case ToolCall() as tool_call:
            await check_tool_call(case, tool_call, played, client.read(played.status, played.body, stream), client)
        case never:
            assert_never(never)


async def check_request(
    case: Case, request: Request, played: Played, client: SdkClient, provider: str, stream: bool
) -> None:
    if case.example.does == "refuse":
        with pytest.raises(client.failure):
            client.read(played.status, played.body, stream=False)
        assert played.status in (400, 403, 429)
        assert (played.record.outcome, played.asked) == ("refused", [])
        return
    said = client.read(played.status, played.body, stream)
    assert (said.tool_calls, said.stop_reason) == ([], client.reasons["end_turn"])
    if case.example.does == "block":
        assert "guard" in said.text
        assert (played.record.outcome, played.asked) == ("blocked", [])
        return
    assert (said.text, played.record.outcome) == ("Done.", "finished")
    verdict = await verdict_of(case.policy_made(), request, judged_by(case.example.judge_says))
    wanted = new_request(verdict) if verdict.action == "replace" else request
    (raw,) = played.asked
    asked = DIALECTS[provider].read_request(raw)
    assert asked.model == (verdict.model or request.model)
    assert list(asked.texts()) == list(wanted.texts())
    assert wanted.max_tokens in (None, asked.max_tokens)


def check_text(case: Case, text: str, played: Played, said: Said, client: SdkClient) -> None:
    assert (said.tool_calls, said.stop_reason) == ([], client.reasons["end_turn"])
    if case.example.does == "block":
        assert "guard" in said.text and played.record.outcome == "blocked"
        return
    wanted = text if case.example.becomes is None else case.example.becomes
    assert said.text.replace("\n\n", "\n") == wanted and played.record.outcome == "finished"


async def check_tool_call(case: Case, tool_call: ToolCall, played: Played, said: Said, client: SdkClient) -> None:
    if case.example.does == "block":
        assert "guard" in said.text and played.record.outcome == "blocked"
        assert (said.tool_calls, said.stop_reason) == ([], client.reasons["end_turn"])
        return
    verdict = await verdict_of(case.policy_made(), tool_call, judged_by(case.example.judge_says))
    (wanted,) = new_blocks(verdict) if verdict.action == "replace" else (tool_call,)
    assert isinstance(wanted, ToolCall)
    assert [call[1:] for call in said.tool_calls] == [(wanted.name, wanted.arguments)]
    assert (said.text, said.stop_reason) == ("", client.reasons["tool_use"])
    assert played.record.outcome == "finished"


def test_each_policy_has_an_example_in_which_it_acts() -> None:
    acting = {case.policy for case in cases() if case.example.does != "allow"}
    assert set(catalogue()) - acting == PASSIVE
