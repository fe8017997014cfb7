from __future__ import annotations

import hashlib
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from observability import queries
from observability.models import BlobReference, CallRecord
from observability.recording.recorder import CallRecorder
from observability.rows import chain
from policies.content import ToolCall, Usage
from policies.verdicts import Decision
from tests.observability.conftest import MakeWriter, Record, make_facts

BLOCKED = Decision("no-shell", 3, "enforce", "on_tool_call", "toolu_1", "block", "recursive delete", 12.5, 0.25)


class Measured:
    """What the gateway's clock says of a call: seconds."""

    answered, first_event, held = 0.005, 0.006, 0.0015

    def now(self) -> float:
        return 0.02

    def overhead(self, until: float) -> float:
        return 0.0005


async def saved(id: str) -> CallRecord:
    return await CallRecord.objects.prefetch_related("decisions", "blocks").aget(pk=id)


async def payload(call: CallRecord, name: str) -> bytes | None:
    return await sync_to_async(queries.payload)(call, name)


async def test_a_call_is_on_record_as_soon_as_its_opening_and_its_close_return(record: Record) -> None:
    call = record(id="call_x")
    call.open()
    await call.opened()
    opened = await saved("call_x")
    assert (opened.outcome, opened.key, opened.team, opened.model) == ("open", "ci", "payments", "claude-test")
    await call.close("finished", 200)
    closed = await saved("call_x")
    assert (closed.outcome, closed.status) == ("finished", 200)
    assert closed.closed_at is not None and closed.closed_at >= closed.started_at


async def test_a_call_may_end_with_an_attempt_that_was_set_aside(record: Record) -> None:
    call = record(id="call_x")
    call.open()
    call.forwarded("first", "one", b"to the first")
    call.head(529, [("retry-after", "3")])
    call.original(b"the first's words")
    call.failed("it was overloaded")
    first = call.set_aside()
    call.forwarded("second", "two", b"to the second", "openai_chat")
    call.head(401, [])
    call.original(b"the second's words")
    call.failed("it refused")
    call.take_back(first)
    await call.close("upstream_error", 529)
    row = await saved("call_x")
    assert (row.provider, row.upstream_model, row.upstream_dialect) == ("first", "one", "")
    assert row.response_headers == [["retry-after", "3"]]
    assert await payload(row, "request_final") == b"to the first"
    assert await payload(row, "response_original") == b"the first's words"
    assert [(each["provider"], each["status"], each["error"]) for each in row.attempts] == [
        ("first", 529, "it was overloaded"),
        ("second", 401, "it refused"),
    ]


async def test_all_that_happened_is_on_record(record: Record) -> None:
    call = record(id="call_x", request_headers=[("Authorization", "Bearer s3cret"), ("user-agent", "tests")])
    call.policies("no-shell@3")
    call.open()
    call.forwarded("anthropic", "claude-test-1", b'{"model":"claude-test-1"}')
    call.head(200, [("content-type", "text/event-stream"), ("set-cookie", "s3cret")])
    for chunk in (b"the model ", b"said"):
        call.original(chunk)
    call.final(b"the client got")
    call.decide(BLOCKED)
    call.note("dropped", "thinking", 1.0)
    call.usage(Usage(10, 20, 30, 40), 1234)
    call.changed(request=True)
    call.changed(response=True)
    await call.checkpoint([ToolCall("toolu_1", "Bash", '{"command":"ls"}')])
    call.timings(Measured())
    await call.close("finished", 200)
    row = await saved("call_x")
    assert [await payload(row, name) for name in ("request_final", "response_original", "response_final")] == [
        b'{"model":"claude-test-1"}',
        b"the model said",
        b"the client got",
    ]
    assert await payload(row, "request_original") == make_facts().request_body
    assert row.request_headers == [["Authorization", "[removed]"], ["user-agent", "tests"]]
    assert row.response_headers == [["content-type", "text/event-stream"], ["set-cookie", "[removed]"]]
    assert (row.provider, row.upstream_model, row.policies) == ("anthropic", "claude-test-1", "no-shell@3")
    assert (row.input_tokens, row.output_tokens, row.cache_read_tokens, row.cache_write_tokens) == (10, 20, 30, 40)
    assert (row.cost_microdollars, row.changed_request, row.changed_response, row.released_bytes) == (
        1234,
        True,
        True,
        14,
    )
    assert (row.upstream_head_ms, row.first_event_ms, row.total_ms, row.hold_ms, row.overhead_ms) == (
        5,
        6,
        20,
        1.5,
        0.5,
    )
    assert [(note["kind"], note["text"], note["value"]) for note in row.notes] == [("dropped", "thinking", 1.0)]
    assert [(a["provider"], a["model"], a["status"], a["error"]) for a in row.attempts] == [
        ("anthropic", "claude-test-1", 200, "")
    ]
    (block,) = row.blocks.all()
    assert (block.kind, block.tool_name, block.tool_call_id) == ("tool_call", "Bash", "toolu_1")
    assert bytes(block.content or b"") == hashlib.sha256(b'{"command":"ls"}').digest()
    (decision,) = row.decisions.all()
    assert (decision.policy, decision.version, decision.action, decision.reason) == (
        "no-shell",
        3,
        "block",
        BLOCKED.reason,
    )
    assert (decision.at_ms, decision.took_ms, decision.late) == (12.5, 0.25, False)


async def test_a_released_tool_call_is_readable_before_the_call_is_closed(record: Record) -> None:
    call = record(id="call_x")
    call.open()
    call.decide(BLOCKED)
    long = '{"content":"' + "x" * 20_000 + '"}'
    await call.checkpoint([ToolCall("toolu_1", "Bash", '{"path":"x"}'), ToolCall("toolu_2", "Write", long)])
    row = await saved("call_x")
    assert row.outcome == "open"
    assert [block.tool_name for block in row.blocks.all()] == ["Bash", "Write"]
    assert [decision.action for decision in row.decisions.all()] == ["block"]
    assert [await sync_to_async(queries.arguments)(block) for block in row.blocks.all()] == [
        b'{"path":"x"}',
        long.encode(),
    ]


async def test_a_retry_is_an_attempt_of_its_own_and_the_last_answer_is_the_original(record: Record) -> None:
    call = record(id="call_x")
    call.open()
    call.forwarded("first", "a", b"one")
    call.head(503, [])
    call.original(b"overloaded")
    call.failed("overloaded")
    call.forwarded("second", "b", b"two")
    call.head(200, [])
    call.original(b"fine")
    await call.close("finished", 200)
    row = await saved("call_x")
    assert [(a["provider"], a["status"], a["error"]) for a in row.attempts] == [
        ("first", 503, "overloaded"),
        ("second", 200, ""),
    ]
    assert (row.provider, await payload(row, "response_original")) == ("second", b"fine")


async def test_a_late_verdict_is_appended_and_is_a_leaf_of_its_own(record: Record) -> None:
    call = record(id="call_x")
    call.open()
    await call.close("finished", 200)
    call.decide(BLOCKED)
    after = record()
    after.open()
    await after.close("finished", 200)
    row = await saved("call_x")
    (decision,) = row.decisions.all()
    assert (decision.late, decision.sequence, row.sequence) == (True, 2, 1)


async def test_a_second_close_changes_nothing(record: Record) -> None:
    call = record(id="call_x")
    call.open()
    await call.close("blocked", 200)
    await call.close("finished", 500)
    call.close_soon("cancelled")
    row = await saved("call_x")
    assert (row.outcome, row.status, call.outcome) == ("blocked", 200, "blocked")


async def test_a_call_that_was_never_opened_is_closed_all_the_same(record: Record) -> None:
    call = record(id="call_x")
    await call.close("refused", 400, "invalid_request", "no")
    row = await saved("call_x")
    assert (row.outcome, row.error_kind, row.error_message) == ("refused", "invalid_request", "no")


async def test_text_that_no_database_takes_stops_nothing(record: Record) -> None:
    evil: Any = "a\0b\ud800c"
    call = record(id="call_x", key=evil, model=evil * 3000, path="/x?api_key=s3cret&beta=true", request_body=b"\0\xff")
    call.open()
    call.decide(Decision(evil, 1, "enforce", "on_text", evil, "allow", evil, evidence={evil: [evil, {1, 2}, 10**30]}))
    call.note(evil, evil)
    call.usage(Usage(10**30), None)
    await call.checkpoint([ToolCall(evil, evil, evil)])
    call.original(b"\0")
    await call.close("finished", 200, evil, evil)
    row = await saved("call_x")
    assert "\0" not in row.key + row.model + row.error_message
    assert row.path == "/x?api_key=[removed]&beta=true"
    assert await payload(row, "request_original") == b"\0\xff"
    assert row.input_tokens == 2**63 - 1


async def test_a_body_beyond_the_limit_is_cut_and_the_record_says_so(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("observability.recording.tap.BODY_LIMIT", 10)
    call = record(id="call_x", request_body=b"12345678901")
    call.open()
    call.forwarded("p", "m", b"12345678901")
    for _ in range(5):
        call.original(b"1234")
    call.final(b"1234567890")
    await call.close("finished", 200)
    row = await saved("call_x")
    assert sorted(row.truncated) == ["request_final", "request_original", "response_original"]
    assert await payload(row, "response_original") == b"1234123412"
    assert row.released_bytes == 10


async def test_what_passed_unchanged_is_stored_once(record: Record) -> None:
    body = b'{"messages":[]}' + b" " * 20_000
    call = record(id="call_x", request_body=body)
    call.open()
    call.forwarded("p", "m", bytes(bytearray(body)))
    call.original(b"answer")
    call.final(b"answ")
    call.final(b"er")
    await call.close("finished", 200)
    row = await saved("call_x")
    assert row.request_original == row.request_final
    assert row.response_original == row.response_final
    assert await BlobReference.objects.filter(source=b"call_x").acount() == 1
    assert await payload(row, "response_final") == b"answer"


async def test_commitments_hold_nonce_and_digest_of_each_payload(record: Record) -> None:
    call = record(id="call_x")
    call.open()
    call.original(b"answer")
    await call.close("finished", 200)
    row = await saved("call_x")
    parts = [bytes(row.commitments)[place : place + 32] for place in range(0, 128, 32)]
    nonces = [bytes(row.nonces)[place : place + 16] for place in range(0, 64, 16)]
    assert len(set(nonces)) == 4
    assert parts[0] == hashlib.sha256(nonces[0] + bytes(row.request_original or b"")).digest()
    assert parts[1] == chain.NOTHING
    assert parts[2] == hashlib.sha256(nonces[2] + hashlib.sha256(b"answer").digest()).digest()


async def test_off_records_nothing_and_waits_for_nothing(make_writer: MakeWriter) -> None:
    call = CallRecorder(make_facts(), make_writer("off"))
    call.open()
    await call.opened()
    await call.checkpoint([ToolCall("a", "b")])
    await call.close("finished", 200)
    assert await CallRecord.objects.acount() == 0
