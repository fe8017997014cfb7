from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from observability import queries
from observability.bodies import content
from observability.models import CallRecord
from policies.content import Request, Response, Text, ToolCall
from tests.observability.conftest import Record

START = datetime(2026, 1, 1, tzinfo=UTC)


class Echo:
    """A dialect whose bodies are their own text."""

    def read_request(self, body: bytes) -> Request:
        return Request(body.decode())

    def read_recorded(self, raw: bytes, streamed: bool) -> list[Response]:
        call = ToolCall("toolu_1", "Bash", '{"command":"ls"}')
        return [Response(blocks=(Text(raw.decode() + (" streamed" if streamed else "")), call))]


@pytest.fixture
def echo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(content, "_readers", {})
    content.register("echo", Echo())
    yield


def add(number: int, **fields: object) -> CallRecord:
    values: dict[str, object] = {
        "id": f"call_{number:03}", "key": "ci", "team": "payments", "session": "s", "model": "m", "dialect": "echo",
        "path": "/", "streamed": False, "started_at": START + timedelta(seconds=number // 2), "snapshot": 1,
    }  # fmt: skip
    return CallRecord.objects.create(**(values | fields))


@pytest.mark.django_db
def test_a_reader_sees_the_calls_of_its_teams_and_no_others() -> None:
    add(1, team="a")
    add(2, team="b")
    assert queries.call("call_002", teams=["a"]) is None
    assert queries.call("call_001", teams=["a"]) is not None


async def test_the_diff_has_original_and_final_of_both_directions(record: Record, echo: None) -> None:
    from asgiref.sync import sync_to_async

    call = record(id="call_x", dialect="echo", request_body=b"asked", streamed=True)
    call.open()
    call.forwarded("p", "m", b"sent")
    call.head(200, [("Content-Type", "text/event-stream")])
    call.original(b"said")
    call.final(b"SAID")
    call.changed(response=True)
    await call.close("finished", 200)
    row = await CallRecord.objects.aget(pk="call_x")
    diff = await sync_to_async(queries.diff)(row)
    tool = {"kind": "tool_call", "name": "Bash", "arguments": {"command": "ls"}, "id": "toolu_1"}
    assert diff["request"] == {"changed": False, "original": [], "final": []}
    assert diff["response"] == {
        "changed": True,
        "original": [{"kind": "text", "text": "said streamed"}, tool],
        "final": [{"kind": "text", "text": "SAID streamed"}, tool],
    }


@pytest.mark.django_db
def test_a_body_that_nobody_can_read_makes_an_empty_side(echo: None) -> None:
    row = add(1, request_original=b"\1" * 32, dialect="unknown")
    assert queries.diff(row)["request"]["original"] == []
    assert content.read_request("echo", b"\xff") is None
    assert content.read_answers("unknown", b"", streamed=False) == []
