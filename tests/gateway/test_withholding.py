"""Where a policy is in force with `record: redacted`, no original goes on record but of what it let pass unchanged."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.gateway.running import (
    ANTHROPIC,
    EVENT_STREAM,
    START,
    Dialect,
    Exchange,
    House,
    ask,
    both_dialects,
    client,
    frame,
    provider,
    streamed_and_not,
)

TERM = "hydra"
REQUEST, ANSWER = "the request as the client sent it", "the answer as the provider gave it"
SIDES = ("original", "final")

Json = dict[str, Any]


async def on_record(house: House, key: str, dialect: Dialect, script: str, stream: bool) -> Json:
    answer = await ask(house, key, dialect, script, stream=stream)
    return await house.record(answer.headers["x-luthien-call-id"])


def withheld(record: Json) -> set[str]:
    return {note["text"] for note in record["notes"] if note["kind"] == "withheld"}


@both_dialects
@streamed_and_not
async def test_a_request_that_was_changed_is_on_record_as_it_was_forwarded(
    house: House, dialect: Dialect, stream: bool
) -> None:
    record = await on_record(house, "withheld", dialect, f"say hello\n{TERM}", stream)
    assert record["changed"]["request"]
    assert record["request"]["original"] is None
    assert "say hello" in json.dumps(record["request"]["final"])
    assert TERM not in json.dumps(record)
    assert withheld(record) == {REQUEST}


@both_dialects
@streamed_and_not
async def test_an_answer_that_was_changed_is_on_record_as_the_client_got_it(
    house: House, dialect: Dialect, stream: bool
) -> None:
    record = await on_record(house, "withheld-answers", dialect, f"say a {TERM}", stream)
    assert record["changed"]["response"]
    assert record["response"]["original"] is None
    assert record["response"]["final"] is not None
    assert TERM not in json.dumps(record["response"])
    assert withheld(record) == {ANSWER}


@both_dialects
@streamed_and_not
@pytest.mark.parametrize("key", ["withheld", "withheld-answers", "withheld-blocks"])
async def test_what_passed_unchanged_is_on_record_as_ever(
    house: House, dialect: Dialect, stream: bool, key: str
) -> None:
    record = await on_record(house, key, dialect, "say hello", stream)
    assert None not in (*(record["request"][side] for side in SIDES), *(record["response"][side] for side in SIDES))
    assert withheld(record) == set()


@both_dialects
@streamed_and_not
async def test_of_a_request_that_was_blocked_only_the_verdict_is_on_record(
    house: House, dialect: Dialect, stream: bool
) -> None:
    record = await on_record(house, "withheld-blocks", dialect, f"say {TERM}", stream)
    assert record["outcome"] == "blocked"
    assert (record["request"]["original"], record["request"]["final"]) == (None, None)
    assert TERM not in json.dumps(record)
    assert [verdict["action"] for verdict in record["verdicts"]] == ["block"]


async def test_a_policy_in_shadow_changes_nothing_and_withholds_nothing(house: House) -> None:
    record = await on_record(house, "withheld-in-shadow", ANTHROPIC, f"say {TERM}", True)
    assert TERM in json.dumps(record["request"]["original"])
    assert TERM in json.dumps(record["response"]["original"])
    assert withheld(record) == set()


async def test_what_was_still_held_when_the_answer_broke_off_was_not_judged_and_is_not_on_record(house: House) -> None:
    async def breaks_off(exchange: Exchange) -> None:
        start = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
        said = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": f"a {TERM}"}}
        await exchange.head(200, EVENT_STREAM)
        await exchange.send(START + frame(start) + frame(said))

    body = {"model": "odd/first", "max_tokens": 9, "stream": True, "messages": [{"role": "user", "content": "x"}]}
    async with provider(house, breaks_off), client(house, "withheld-blocks") as made:
        answer = await made.post("/v1/messages", json=body)
    record = await house.record(answer.headers["x-luthien-call-id"])
    assert record["outcome"] == "cut"
    assert record["response"]["original"] is None
    assert TERM not in json.dumps(record)
    assert withheld(record) == {ANSWER}
