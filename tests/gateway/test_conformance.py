"""Every client dialect on every provider dialect: valid wire, the provider's content, and nothing unjudged released."""

from __future__ import annotations

import dataclasses
import itertools
import json
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

import pytest

from gateway.calls import Head, Incoming
from gateway.dialects import DIALECTS
from gateway.directory import Client, Directory, Route, Target, snapshot
from gateway.live_call import LiveCall
from gateway.pipeline import run_call
from gateway.upstreams.base import Answer, Outgoing
from gateway.upstreams.demo import DemoUpstream
from observability.rows.entries import Closing
from policies.active import ActivePolicy, ActiveSet
from policies.content import Response
from policies.library.tool_filter import ToolFilter
from policies.library.uppercase import Uppercase
from tests.gateway.conforming import CLIENTS, SCHEMA, SdkClient
from tests.gateway.running import Collected, Sent


@dataclass(frozen=True)
class Case:
    """What the provider says, and what of the client's request that takes."""

    script: str
    wants: tuple[str, ...] = ()
    thinking: str = ""
    text: str = ""
    tools: tuple[tuple[str, Any], ...] = ()


DANGER = b"!7"  # short enough for one delta, and of a letter no identifier is made of
"""Stands in the arguments of each call of bash, within what a stream brings of them first."""
ANSWERS = {
    "text": Case("say Hello there, 世界.", text="Hello there, 世界."),
    "thinking": Case("think Let me see.\nsay Done.", ("thinking",), "Let me see.", "Done."),
    "one tool": Case('say I run it.\ntool bash {"c":"!7"}', ("tools",), "", "I run it.",
                     (("bash", {"c":"!7"}),)),
    "parallel tools": Case('tool bash {"c":"!7"}\ntool look {}\ntool bash', ("tools",), "", "",
                           (("bash", {"c":"!7"}), ("look", {}), ("bash", {}))),
    "image": Case("say A picture.", ("image",), "", "A picture."),
    "structured": Case('say {"a":1}', ("shape",), "", '{"a":1}'),
}  # fmt: skip
FAILURES = {
    "error before": Case("error 429"),
    "error in mid-stream": Case('say before\ntool bash {"c":"!7"}\nfail', ("tools",)),
    "cut": Case('say before\ntool bash {"c":"!7"}\ncut', ("tools",)),
}
POLICIES = {
    "no policy": (),
    "uppercase": (ActivePolicy("loud", 1, Uppercase(Uppercase.Config())),),
    "tool blocked": (
        ActivePolicy("no-bash", 1, ToolFilter(ToolFilter.Config(deny=("bash",), remove_from_request=False))),
    ),
}
PROVIDERS = [client.dialect.name for client in CLIENTS]
pairs = pytest.mark.parametrize(
    ("client", "provider"),
    [pytest.param(*pair, id=f"{pair[0].dialect.name} on {pair[1]}") for pair in itertools.product(CLIENTS, PROVIDERS)],
)
streamed_and_not = pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
policies = pytest.mark.parametrize("policy", POLICIES)


@dataclass
class Played:
    status: int
    headers: dict[str, str]
    body: bytes
    record: Closing
    provider: str

    @property
    def forwarded(self) -> Any:
        return json.loads(self.record.forwarded or b"null")

    @property
    def original(self) -> Response:
        """What the provider said, by the record."""
        raw = b"".join(self.record.original)
        (response,) = DIALECTS[self.provider].read_recorded(raw, streamed=not raw.startswith(b"{"))
        return response


async def play(
    monkeypatch: pytest.MonkeyPatch, client: SdkClient, provider: str, case: Case, policy: str, stream: bool
) -> Played:
    collected = Collected()
    monkeypatch.setattr("observability.recording.writer.current", lambda: collected)
    # Providers that speak one dialect only, so that every client but that dialect's own is translated.
    monkeypatch.setattr(snapshot, "SPEAKS", {"their own": frozenset({provider})})
    target = Target("theirs", "their own", "demo/script", DemoUpstream(), translated=provider)
    directory = Directory.of(1, ActiveSet(1, POLICIES[policy]), {}, [Route("public", target)])
    body = json.dumps(client.body(case.script, case.wants, stream)).encode()
    head, told = await answered(client, body, directory)
    (record,) = (entry for entry in collected.entries if isinstance(entry, Closing))
    assert (record.fields["upstream_dialect"] or client.dialect.name) == provider
    assert b"".join(record.final) == told
    return Played(head.status, dict(head.headers), told, record, provider)


async def answered(client: SdkClient, body: bytes, directory: Directory) -> tuple[Head, bytes]:
    caller = Client("plain", "", True, False, 1)
    incoming = Incoming(client.dialect, caller, "POST", client.path, {"content-type": "application/json"}, body)
    sent = Sent()
    await run_call(await LiveCall.of(incoming, directory), sent)
    head, *rest = sent.pieces
    assert isinstance(head, Head)
    told = head.body if head.body is not None else b"".join(piece for piece in rest if isinstance(piece, bytes))
    return head, told


@pairs
@streamed_and_not
@policies
@pytest.mark.parametrize("name", ANSWERS)
async def test_an_answer_is_what_the_provider_said_and_policies_left(
    monkeypatch: pytest.MonkeyPatch, client: SdkClient, provider: str, name: str, policy: str, stream: bool
) -> None:
    case = ANSWERS[name]
    played = await play(monkeypatch, client, provider, case, policy, stream)
    said = client.read(played.status, played.body, stream)
    blocked = [tool for tool in case.tools if policy == "tool blocked" and tool[0] == "bash"]
    stay = [tool for tool in case.tools if tool not in blocked]
    assert said.thinking == case.thinking
    assert [(tool, arguments) for _, tool, arguments in said.tool_calls] == stay
    assert len({call_id for call_id, _, _ in said.tool_calls}) == len(stay)
    assert said.stop_reason == client.reasons["tool_use" if stay else "end_turn"]
    text = case.text.upper() if policy == "uppercase" else case.text
    assert said.text.startswith(text)
    assert (said.text == text) != bool(blocked)
    assert ("no-bash" in said.text) == bool(blocked) and (DANGER in played.body) == ("!7" in str(stay))
    original = played.original
    assert said.usage == (original.usage.input_tokens, original.usage.output_tokens)
    assert played.record.usage is not None
    assert said.usage == (played.record.usage.input_tokens, played.record.usage.output_tokens)
    if client.dialect.name != provider:
        assert said.model == "public"
    assert played.record.outcome == ("blocked" if blocked else "finished")


@pairs
@streamed_and_not
@policies
@pytest.mark.parametrize("name", FAILURES)
async def test_a_failure_is_an_error_of_the_clients_dialect_and_nothing_unjudged_gets_out(
    monkeypatch: pytest.MonkeyPatch, client: SdkClient, provider: str, name: str, policy: str, stream: bool
) -> None:
    played = await play(monkeypatch, client, provider, FAILURES[name], policy, stream)
    in_band = stream and name != "error before"
    with pytest.raises(client.failure):
        client.read(played.status, played.body, stream and played.status == 200)
    assert (played.status == 200) == in_band
    if name == "error before":
        assert (played.status, played.headers["retry-after"]) == (429, "1")
    assert not stream or policy != "tool blocked" or DANGER not in played.body
    assert b"[DONE]" not in played.body and b"message_stop" not in played.body
    assert played.record.outcome == ("cut" if name == "cut" else "upstream_error")


@pairs
async def test_what_was_asked_reaches_the_provider(
    monkeypatch: pytest.MonkeyPatch, client: SdkClient, provider: str
) -> None:
    case = Case("say hi", ("tools", "thinking", "image", "shape"))
    played = await play(monkeypatch, client, provider, case, "no policy", True)
    asked = DIALECTS[provider].read_request(played.record.forwarded or b"")
    assert asked.model == "demo/script" and asked.stream and asked.structured
    assert [tool.name for tool in asked.tools] == ["bash", "look"]
    assert [block.kind for block in asked.messages[-1].blocks] == ["image", "text"]
    shape = DIALECTS[provider].read_settings(asked).shape
    assert shape is not None and shape.schema == SCHEMA


class Overloaded:
    """A provider that has no capacity, whatever it is asked."""

    provider = "own"

    def send(self, outgoing: Outgoing) -> AbstractAsyncContextManager[Answer]:
        asked = {**json.loads(outgoing.body), "messages": [{"role": "user", "content": "error 503"}]}
        return DemoUpstream().send(dataclasses.replace(outgoing, body=json.dumps(asked).encode()))

    async def close(self) -> None:
        """There is nothing to close."""


@pytest.mark.parametrize(("block", "status"), [("text", 200), ("document", 503)])
async def test_a_fallback_of_another_dialect_answers_what_it_can_be_asked(
    monkeypatch: pytest.MonkeyPatch, block: str, status: int
) -> None:
    monkeypatch.setattr("observability.recording.writer.current", lambda: Collected())
    own = Target("own", "anthropic", "demo/script", Overloaded())
    other = Target("other", "openai", "demo/script", DemoUpstream())
    body = CLIENTS[0].body("say Here I am.", (), False)
    body["messages"][0]["content"].append({"type": block, "text": "and so on"})
    directory = Directory.of(1, ActiveSet(), {}, [Route("public", own, (other,))])
    head, told = await answered(CLIENTS[0], json.dumps(body).encode(), directory)
    assert head.status == status
    assert (b"Here I am." in told) == (status == 200)
