"""How calls end, and what their records say of it, each against a real server."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from gateway.calls import Head, Incoming
from gateway.dialects.anthropic_messages import AnthropicMessages
from gateway.directory import Client, Directory, Route, Target
from gateway.live_call import LiveCall
from gateway.pipeline import run_call
from gateway.upstreams.demo import DemoUpstream
from observability.rows.entries import Closing
from policies.active import ActiveSet
from tests.gateway.running import (
    ANTHROPIC,
    CHAT,
    DEADLINE,
    EVENT_STREAM,
    JSON,
    START,
    STOP,
    USAGE,
    Collected,
    Dialect,
    Exchange,
    House,
    Sent,
    ask,
    both_dialects,
    client,
    eventually,
    message,
    patient,
    provider,
    streamed_and_not,
    text,
    tool,
)

LS = 'tool bash {"command": "ls"}'
RM = 'tool bash {"command": "rm -rf /"}'


def as_recorded(got: httpx.Response) -> Any:
    return got.text if got.headers["content-type"].startswith("text/event-stream") else got.json()


async def from_the_demo(house: House, dialect: Dialect, script: str, **more: Any) -> httpx.Response:
    """The same call, straight at the provider."""
    async with patient() as made:
        return await made.post(house.demo + dialect.path, json=dialect.body(script, **more, model="demo/script"))


@both_dialects
@streamed_and_not
async def test_a_call_that_went_well_is_finished(house: House, dialect: Dialect, stream: bool) -> None:
    more = {"stream": stream} | ({"stream_options": {"include_usage": True}} if stream and dialect is CHAT else {})
    got = await ask(house, "plain", dialect, f"think Hm.\nsay Good day.\n{LS}", **more)
    record = await house.record(got.headers["x-luthien-call-id"])
    assert record["outcome"] == "finished"
    assert record["status"] == got.status_code == 200
    assert (record["key"], record["team"], record["model"]) == ("plain", "payments", dialect.model)
    assert record["request"]["original"] == dialect.body(f"think Hm.\nsay Good day.\n{LS}", **more)
    assert record["response"]["original"] == record["response"]["final"] == as_recorded(got)
    assert record["response"]["released_bytes"] == len(got.content)
    assert record["changed"] == {"request": False, "response": False}
    assert record["usage"]["output_tokens"] > 0
    assert record["snapshot"] > 0
    assert record["error"] is None
    assert record["timings"]["total_ms"] > record["timings"]["upstream_head_ms"] > 0
    assert record["streamed"] is stream
    assert record["policies"] == got.headers["x-luthien-policies"] == ""


@both_dialects
@streamed_and_not
async def test_every_block_that_was_released_is_in_the_ledger(house: House, dialect: Dialect, stream: bool) -> None:
    got = await ask(house, "guarded", dialect, f"think Hm.\nsay Good day.\n{LS}\n{RM}", stream=stream)
    record = await house.record(got.headers["x-luthien-call-id"])
    kinds = [block["kind"] for block in record["blocks"]]
    assert kinds.count("tool_call") == 1
    assert "thinking" in kinds and "text" in kinds
    (called,) = (block for block in record["blocks"] if block["kind"] == "tool_call")
    assert called["name"] == "bash"
    assert called["id"] in got.text
    assert 0 < called["at"] <= record["timings"]["total_ms"]


@both_dialects
@streamed_and_not
async def test_original_and_final_are_what_the_provider_sent_and_the_client_got(
    house: House, dialect: Dialect, stream: bool
) -> None:
    script = "say Good day."
    direct = await from_the_demo(house, dialect, script, stream=stream)
    got = await ask(house, "loud", dialect, script, stream=stream)
    record = await house.record(got.headers["x-luthien-call-id"])
    assert record["changed"] == {"request": False, "response": True}
    assert record["response"]["final"] == as_recorded(got)
    if dialect is ANTHROPIC:
        assert record["response"]["original"] == as_recorded(direct)
    assert "GOOD" in got.text and "Good" not in got.text
    assert "Good" in json.dumps(record["response"]["original"])
    assert "GOOD" not in json.dumps(record["response"]["original"])
    assert record["policies"] == got.headers["x-luthien-policies"] == "loud-0@1"
    assert record["response"]["released_bytes"] == len(got.content)


async def test_a_request_that_a_policy_changed_is_on_record_as_sent_and_as_forwarded(house: House) -> None:
    got = await ask(house, "adds", ANTHROPIC, "say Good day.")
    record = await house.record(got.headers["x-luthien-call-id"])
    assert record["changed"] == {"request": True, "response": False}
    assert record["request"]["original"]["messages"][0]["content"] == "say Good day."
    assert "and more" in json.dumps(record["request"]["final"]["messages"])
    assert got.json()["content"][0]["text"] == "Good day. and more"


@both_dialects
@streamed_and_not
async def test_a_blocked_tool_call_makes_the_call_blocked(house: House, dialect: Dialect, stream: bool) -> None:
    got = await ask(house, "guarded", dialect, RM, stream=stream)
    record = await house.record(got.headers["x-luthien-call-id"])
    assert record["outcome"] == "blocked"
    assert record["status"] == 200
    (verdict,) = record["verdicts"]
    assert (verdict["policy"], verdict["version"], verdict["hook"]) == ("guarded-0", 1, "on_tool_call")
    assert verdict["action"] == "block"
    for which, there in (("original", True), ("final", False)):
        assert ('"bash"' in json.dumps(record["response"][which]).replace("\\", "")) is there
    assert "rm -rf" not in got.text


@both_dialects
@streamed_and_not
async def test_a_blocked_request_is_a_completed_turn_and_no_provider_is_asked(
    house: House, dialect: Dialect, stream: bool
) -> None:
    async def never(exchange: Exchange) -> None:
        raise AssertionError("the provider was asked")

    async with provider(house, never) as asked:
        got = await ask(house, "no-requests", dialect, "say no", stream=stream, model=dialect.odd)
    assert got.status_code == 200
    assert "no-requests-0" in got.text and "the puppet says no" in got.text
    assert ("end_turn" if dialect is ANTHROPIC else '"stop"') in got.text
    assert asked.exchanges == []
    record = await house.record(got.headers["x-luthien-call-id"])
    assert record["outcome"] == "blocked"
    assert record["response"]["original"] is None
    assert record["response"]["final"] == as_recorded(got)
    assert record["request"]["final"] is None
    assert record["attempts"] == []


async def test_a_policy_may_answer_in_the_models_place(house: House) -> None:
    got = await ask(house, "answered", ANTHROPIC, "say no")
    assert got.json()["content"] == [{"type": "text", "text": "A policy says hello."}]
    assert (await house.record(got.headers["x-luthien-call-id"]))["outcome"] == "finished"


@both_dialects
async def test_a_limit_is_a_429_that_says_when_to_come_again(house: House, dialect: Dialect) -> None:
    got = await ask(house, "limited", dialect, "say no", stream=True)
    assert got.status_code == 429
    assert got.headers["retry-after"] == "8"
    assert "x-should-retry" not in got.headers
    record = await house.record(got.headers["x-luthien-call-id"])
    assert (record["outcome"], record["status"]) == ("refused", 429)
    assert record["response"]["final"] == got.json()


async def test_a_spent_budget_says_not_to_come_again(house: House) -> None:
    got = await ask(house, "spent", ANTHROPIC, "say no")
    assert (got.status_code, got.headers["x-should-retry"]) == (429, "false")
    assert "retry-after" not in got.headers


@both_dialects
async def test_a_body_that_is_no_json_is_refused_and_on_record(house: House, dialect: Dialect) -> None:
    async with client(house) as made:
        got = await made.post(dialect.path, content=b'{"model": ')
    record = await house.record(got.headers["x-luthien-call-id"])
    assert (got.status_code, record["outcome"], record["status"]) == (400, "refused", 400)
    assert record["request"]["original"] == '{"model": '
    assert record["response"]["final"] == got.json()
    assert record["key"] == "plain"


async def test_an_unknown_model_is_refused(house: House) -> None:
    got = await ask(house, "plain", ANTHROPIC, "say hi", model="nobody/serves")
    record = await house.record(got.headers["x-luthien-call-id"])
    assert (got.status_code, record["outcome"]) == (404, "refused")
    assert "nobody/serves" in record["error"]["message"]
    assert got.headers["server-timing"].startswith("upstream;dur=")


@streamed_and_not
@both_dialects
async def test_an_error_of_the_provider_is_on_record_as_it_came(house: House, dialect: Dialect, stream: bool) -> None:
    got = await ask(house, "loud", dialect, "error 429", stream=stream)
    record = await house.record(got.headers["x-luthien-call-id"])
    assert (got.status_code, record["outcome"], record["status"]) == (429, "upstream_error", 429)
    assert record["response"]["original"] == record["response"]["final"] == got.json()
    assert record["attempts"][0]["status"] == 429


@both_dialects
async def test_an_error_in_mid_stream_is_the_providers(house: House, dialect: Dialect) -> None:
    got = await ask(house, "loud", dialect, "say before\nfail\nsay after", stream=True)
    record = await house.record(got.headers["x-luthien-call-id"])
    assert record["outcome"] == "upstream_error"
    assert record["status"] == 200
    assert "The script failed here." in record["error"]["message"]
    assert record["response"]["final"] == got.text
    assert "BEFORE" in got.text and "AFTER" not in got.text


async def test_a_provider_that_cannot_be_reached_is_named_on_record(house: House) -> None:
    got = await ask(house, "plain", ANTHROPIC, "say hi", model="unreachable")
    record = await house.record(got.headers["x-luthien-call-id"])
    assert (got.status_code, record["outcome"]) == (502, "upstream_error")
    assert "nowhere" in record["attempts"][0]["error"]
    assert record["response"]["original"] is None
    assert record["response"]["final"] == got.json()


@both_dialects
@streamed_and_not
async def test_an_answer_without_its_end_is_cut(house: House, dialect: Dialect, stream: bool) -> None:
    got = await ask(house, "guarded", dialect, f"say before\n{LS}\ncut", stream=stream)
    record = await house.record(got.headers["x-luthien-call-id"])
    assert record["outcome"] == "cut"
    assert record["status"] == got.status_code == (200 if stream else 502)
    assert as_recorded(got) == record["response"]["final"]
    assert not [block for block in record["blocks"] if block["kind"] == "tool_call"]
    if stream:
        assert "before" in json.dumps(record["response"]["original"])
        assert "error" in got.text.splitlines()[-2]


async def test_a_provider_that_falls_silent_is_stalled(house: House) -> None:
    got = await ask(house, "plain", ANTHROPIC, "say before\npause 60", model="hasty/script", stream=True)
    record = await house.record(got.headers["x-luthien-call-id"])
    assert (record["outcome"], record["status"]) == ("stalled", 200)
    assert "hasty" in record["error"]["message"] and "0.3 s" in record["error"]["message"]
    assert record["response"]["final"] == got.text
    assert "timeout_error" in got.text and "message_stop" not in got.text


async def test_a_provider_that_never_begins_is_stalled(house: House) -> None:
    got = await ask(house, "plain", ANTHROPIC, "pause 60\nsay never", model="unbegun/script")
    record = await house.record(got.headers["x-luthien-call-id"])
    assert (got.status_code, record["outcome"], record["status"]) == (504, "stalled", 504)


@pytest.mark.parametrize("key", ["plain", "loud"])
async def test_a_client_that_leaves_cancels_the_upstream_and_the_record_says_what_it_had(
    house: House, key: str
) -> None:
    gone = asyncio.Event()

    async def half(exchange: Exchange) -> None:
        await exchange.head(200, EVENT_STREAM)
        await exchange.send(START + text(0, "one ", "two "))
        await exchange.gone()
        gone.set()

    async with provider(house, half), client(house, key) as made:
        body = {**ANTHROPIC.body("x", stream=True), "model": "odd/first"}
        async with made.stream("POST", "/v1/messages", json=body) as got:
            seen = b""
            async for chunk in got.aiter_raw():
                seen += chunk
                if b"content_block_stop" in seen:
                    break
        async with asyncio.timeout(DEADLINE):
            await gone.wait()
    record = await house.record(got.headers["x-luthien-call-id"])
    assert record["outcome"] == "cancelled"
    assert record["response"]["released_bytes"] == len(seen)
    assert record["response"]["final"] == seen.decode()
    assert record["response"]["original"] == (START + text(0, "one ", "two ")).decode()
    assert [block["kind"] for block in record["blocks"]] == ["text"]


async def test_a_client_that_leaves_before_the_head_cancels_the_upstream(house: House) -> None:
    asked, gone = asyncio.Event(), asyncio.Event()

    async def silent(exchange: Exchange) -> None:
        asked.set()
        await exchange.gone()
        gone.set()

    async with provider(house, silent):
        async with client(house, "shadowed") as made:
            leaving = asyncio.create_task(made.post("/v1/messages", json=ANTHROPIC.body("x", model="odd/left")))
            await asked.wait()
            leaving.cancel()
        async with asyncio.timeout(DEADLINE):
            await gone.wait()
    record = await house.newest("odd/left")
    assert (record["outcome"], record["status"], record["key"]) == ("cancelled", None, "shadowed")
    assert record["response"]["released_bytes"] == 0


async def test_usage_keeps_the_caches_apart_and_counts_what_the_end_says(house: House) -> None:
    async def whole(exchange: Exchange) -> None:
        await exchange.answer(START + text(0, "hi") + STOP, EVENT_STREAM)

    async with provider(house, whole):
        got = await ask(house, "plain", ANTHROPIC, "x", model="odd/first", stream=True)
    usage = (await house.record(got.headers["x-luthien-call-id"]))["usage"]
    assert usage["input_tokens"] == USAGE["input_tokens"]
    assert usage["output_tokens"] == 9
    assert (usage["cache_read_tokens"], usage["cache_write_tokens"]) == (3, 4)


@streamed_and_not
@both_dialects
async def test_where_the_client_asked_for_a_shape_a_block_is_an_error(
    house: House, dialect: Dialect, stream: bool
) -> None:
    shape: Any = {"type": "json_schema", "json_schema": {"name": "x", "schema": {}}}
    structured = {"output_format": shape} if dialect is ANTHROPIC else {"response_format": shape}
    got = await ask(house, "no-text", dialect, 'say {"a": 1}', stream=stream, **structured)
    record = await house.record(got.headers["x-luthien-call-id"])
    assert record["outcome"] == "blocked"
    assert "no-text-0" in record["error"]["message"]
    assert record["response"]["final"] == as_recorded(got)
    if stream:
        assert (got.status_code, record["status"]) == (200, 200)
        assert '"invalid_request_error"' in got.text
        assert "message_stop" not in got.text and "[DONE]" not in got.text
    else:
        assert (got.status_code, record["status"]) == (400, 400)
        assert got.headers["x-should-retry"] == "false"


@streamed_and_not
@both_dialects
async def test_where_the_client_asked_for_a_shape_a_blocked_request_is_an_error(
    house: House, dialect: Dialect, stream: bool
) -> None:
    shape: Any = {"type": "json_schema", "json_schema": {"name": "x", "schema": {}}}
    structured = {"output_format": shape} if dialect is ANTHROPIC else {"response_format": shape}
    got = await ask(house, "no-requests", dialect, "x", stream=stream, **structured)
    assert got.status_code == 400
    assert got.headers["x-should-retry"] == "false"
    assert (await house.record(got.headers["x-luthien-call-id"]))["outcome"] == "blocked"


@streamed_and_not
async def test_policies_of_the_model_that_a_policy_chose_join_in(house: House, stream: bool) -> None:
    async def echo(exchange: Exchange) -> None:
        assert json.loads(exchange.body)["model"] == "odd/other"
        if stream:
            await exchange.answer(START + text(0, "hello") + STOP, EVENT_STREAM)
        else:
            await exchange.answer(message({"type": "text", "text": "hello"}), JSON)

    async with provider(house, echo):
        got = await ask(house, "rerouted", ANTHROPIC, "x", model="odd/first", stream=stream)
    assert "HELLO" in got.text
    assert got.headers["x-luthien-policies"] == "rerouted-0@1, rerouted-1@1"
    record = await house.record(got.headers["x-luthien-call-id"])
    assert record["policies"] == "rerouted-0@1, rerouted-1@1"
    assert (record["model"], record["upstream_model"]) == ("odd/first", "odd/other")


async def test_a_policy_of_the_chosen_model_may_block_the_request(house: House) -> None:
    got = await ask(house, "rerouted-to-no", ANTHROPIC, "x", model="odd/first")
    assert "rerouted-to-no-1" in got.json()["content"][0]["text"]
    record = await house.record(got.headers["x-luthien-call-id"])
    assert record["outcome"] == "blocked"
    assert [(each["policy"], each["action"]) for each in record["verdicts"]] == [
        ("rerouted-to-no-0", "reroute"),
        ("rerouted-to-no-1", "block"),
    ]


@streamed_and_not
async def test_an_answer_that_a_policy_wants_from_another_model_is_asked_for_again(house: House, stream: bool) -> None:
    async def answer(exchange: Exchange) -> None:
        model = json.loads(exchange.body)["model"]
        if stream:
            await exchange.answer(START + text(0, f"I am {model}") + STOP, EVENT_STREAM)
        else:
            await exchange.answer(message({"type": "text", "text": f"I am {model}"}), JSON)

    async with provider(house, answer) as asked:
        got = await ask(house, "retried", ANTHROPIC, "x", model="odd/first", stream=stream)
    assert "I am odd/other" in got.text and "I am odd/first" not in got.text
    assert len(asked.exchanges) == 2
    record = await house.record(got.headers["x-luthien-call-id"])
    assert record["outcome"] == "finished"
    first, second = record["attempts"]
    assert "retried-0" in first["error"] and second["error"] == ""
    assert "odd/other" in json.dumps(record["response"]["original"])
    assert "odd/first" not in json.dumps(record["response"]["original"])


async def test_policies_that_never_have_enough_are_told_so(house: House) -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.answer(message({"type": "text", "text": "hello"}), JSON)

    async with provider(house, answer) as asked:
        got = await ask(house, "retried-for-ever", ANTHROPIC, "x", model="odd/first")
    assert got.status_code == 400
    assert got.headers["x-should-retry"] == "false"
    assert len(asked.exchanges) == 3
    assert (await house.record(got.headers["x-luthien-call-id"]))["outcome"] == "blocked"


async def test_another_attempt_that_fails_behind_the_head_is_told_in_the_stream(house: House) -> None:
    async def answer(exchange: Exchange) -> None:
        if json.loads(exchange.body)["model"] == "odd/first":
            await exchange.answer(START + text(0, "hello") + STOP, EVENT_STREAM)
        else:
            await exchange.answer(b'{"type":"error","error":{"type":"x","message":"y"}}', JSON, status=500)

    async with provider(house, answer):
        got = await ask(house, "retried", ANTHROPIC, "x", model="odd/first", stream=True)
    assert got.status_code == 200
    assert got.text.startswith("event: error") and "answered 500" in got.text
    assert (await house.record(got.headers["x-luthien-call-id"]))["outcome"] == "upstream_error"


async def test_what_goes_wrong_behind_the_end_is_not_the_clients(house: House) -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.head(200, EVENT_STREAM)
        await exchange.send(START + text(0, "hello") + STOP)  # and closes without the last chunk

    async with provider(house, answer):
        got = await ask(house, "plain", ANTHROPIC, "x", model="odd/first", stream=True)
    assert got.content == START + text(0, "hello") + STOP
    assert (await house.record(got.headers["x-luthien-call-id"]))["outcome"] == "finished"


async def test_two_choices_are_both_on_record_before_either_is_whole(house: House) -> None:
    got = await ask(house, "guarded", CHAT, f"say Good day.\n{LS}", stream=True, n=2)
    record = await house.record(got.headers["x-luthien-call-id"])
    assert record["outcome"] == "finished"
    assert record["response"]["final"] == got.text
    assert record["response"]["released_bytes"] == len(got.content)
    assert [each["kind"] for each in record["blocks"]].count("tool_call") == 2


@pytest.mark.parametrize("key", ["raises", "raises-live", "raises-on-events"])
@streamed_and_not
@both_dialects
async def test_a_policy_that_raises_keeps_the_block_back(
    house: House, dialect: Dialect, stream: bool, key: str
) -> None:
    got = await ask(house, key, dialect, "say the words", stream=stream)
    assert got.status_code == 200
    assert "the words" not in got.text and f"{key}-0" in got.text
    assert "secret failure" not in got.text
    record = await house.record(got.headers["x-luthien-call-id"])
    assert record["outcome"] == "blocked"
    assert "failed_closed" in [each["action"] for each in record["verdicts"]]
    assert "secret failure" not in json.dumps(record)


@pytest.mark.parametrize("key", ["hangs", "rubbish", "rubbish-on-answers"])
@streamed_and_not
async def test_a_policy_that_hangs_or_returns_rubbish_keeps_the_tool_call_back(
    house: House, stream: bool, key: str
) -> None:
    got = await ask(house, key, ANTHROPIC, LS, stream=stream)
    assert "tool_use" not in got.text and f"{key}-0" in got.text
    assert (await house.record(got.headers["x-luthien-call-id"]))["outcome"] == "blocked"


async def test_a_policy_that_hangs_on_a_request_blocks_it(house: House) -> None:
    got = await ask(house, "hangs-on-requests", ANTHROPIC, "say hi")
    assert "hangs-on-requests-0" in got.json()["content"][0]["text"]


async def test_a_policy_that_fails_open_is_loud(house: House) -> None:
    series = 'luthien_fail_open_total{policy="raises-open-0"}'
    before = await house.metric(series)
    got = await ask(house, "raises-open", ANTHROPIC, "say the words", stream=True)
    assert "words" in got.text and "message_stop" in got.text
    record = await house.record(got.headers["x-luthien-call-id"])
    assert (record["outcome"], record["changed"]["response"]) == ("finished", False)
    assert [each["action"] for each in record["verdicts"]] == ["failed_open"]
    assert await house.metric(series) == before + 1
    assert "failed open" in house.server.log and record["id"] in house.server.log


@pytest.mark.parametrize("key", ["raises-on-finish", "raises-at-the-end"])
async def test_a_policy_that_fails_when_nothing_is_left_to_keep_back_is_only_recorded(house: House, key: str) -> None:
    got = await ask(house, key, ANTHROPIC, "say the words", stream=True)
    assert "words" in got.text and "message_stop" in got.text
    call_id = got.headers["x-luthien-call-id"]
    assert (await house.record(call_id))["outcome"] == "finished"

    async def recorded() -> bool:
        return [each["action"] for each in (await house.record(call_id))["verdicts"]] == ["failed_closed"]

    await eventually(recorded)


async def test_a_shadow_changes_nothing_and_its_verdicts_are_on_record(house: House) -> None:
    direct = await from_the_demo(house, ANTHROPIC, "say the words", stream=True)
    got = await ask(house, "shadowed", ANTHROPIC, "say the words", stream=True)
    assert got.content == direct.content
    call_id = got.headers["x-luthien-call-id"]

    async def verdicts() -> list[tuple[str, str, str]]:
        record = await house.record(call_id)
        assert (record["outcome"], record["changed"]) == ("finished", {"request": False, "response": False})
        return [(each["policy"], each["mode"], each["action"]) for each in record["verdicts"]]

    assert ("shadowed-1", "shadow", "block") in await eventually(verdicts)


async def test_a_stop_ends_the_answer_and_lets_the_upstream_go(house: House) -> None:
    gone = asyncio.Event()

    async def endless(exchange: Exchange) -> None:
        await exchange.head(200, EVENT_STREAM)
        await exchange.send(START + text(0, "one") + tool(1, "bash", {}))
        await exchange.gone()
        gone.set()

    async with provider(house, endless):
        got = await ask(house, "stopped", ANTHROPIC, "x", model="odd/first", stream=True)
        async with asyncio.timeout(DEADLINE):
            await gone.wait()
    assert "stopped-0" in got.text and "message_stop" in got.text and "tool_use" not in got.text
    record = await house.record(got.headers["x-luthien-call-id"])
    assert (record["outcome"], record["changed"]["response"]) == ("blocked", True)
    assert record["response"]["final"] == got.text


class Buggy(AnthropicMessages):
    """A dialect with a bug in one of its methods."""

    def __init__(self, method: str) -> None:
        self._method = method

    def __getattribute__(self, name: str) -> Any:
        if name != "_method" and name == self._method:
            return self._fail
        return super().__getattribute__(name)

    def _fail(self, *_: object, **__: object) -> None:
        raise ZeroDivisionError("a secret of the code's")


@pytest.mark.parametrize("method", ["read_request", "write_request", "reader", "writer", "read_answer", "write_answer"])
async def test_a_bug_of_our_own_is_told_without_its_secrets_and_closes_the_record(
    monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    collected = Collected()
    monkeypatch.setattr("observability.recording.writer.current", lambda: collected)
    stream = method in ("reader", "writer")
    body = json.dumps(ANTHROPIC.body("say hi", stream=stream)).encode()
    caller = Client("plain", "", True, False, 1)
    incoming = Incoming(Buggy(method), caller, "POST", "/messages", {}, body)
    routes = [Route("demo/*", Target("demo", "demo", "", DemoUpstream()))]
    sent = Sent()
    await run_call(await LiveCall.of(incoming, Directory.of(1, ActiveSet(), {}, routes)), sent)
    (head,) = sent.pieces
    assert isinstance(head, Head)
    told = head.body or b""
    assert head.status == 500
    assert b'"api_error"' in told and b"secret" not in told
    (closing,) = (entry for entry in collected.entries if isinstance(entry, Closing))
    assert closing.outcome == "cut"
    assert closing.fields["error_kind"] == "api_error"
    assert "secret" not in closing.fields["error_message"]
    assert b"".join(closing.final) == told
