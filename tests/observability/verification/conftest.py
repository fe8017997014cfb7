"""A recorded database with a row of every kind, sealed, and its verification."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, models

from observability import audit
from observability.recording.recorder import CallRecorder
from observability.recording.writer import Writer
from observability.rows.database import connect
from observability.sealing.anchor import Anchor
from observability.sealing.keys import public_key, signing_key
from observability.sealing.sealer import Sealer
from observability.verification.run import Report, Verification
from observability.verification.snapshot import snapshot
from policies import services
from policies.content import Text, ToolCall, Usage
from policies.models import Terms
from policies.verdicts import Decision
from tests.observability.conftest import MakeWriter, make_facts

Verify = Callable[..., Report]
BLOCKED = Decision(
    "no-shell", 2, "enforce", "on_tool_call", "toolu_1", "block", "bad", score=1, evidence={"b": 1, "a": 2}
)
SHADOW = Decision("words", 1, "shadow", "on_text", "text 0", "allow", score=0.25)
LARGE = (
    b'{"messages":[' + b",".join(b'{"role":"user","content":"%s"}' % (b"word %d " % n * 200) for n in range(40)) + b"]}"
)


def rows(model: type[models.Model], **filters: Any) -> models.QuerySet[Any]:
    """Rows that may be changed, whatever the model says of that."""
    return models.QuerySet(model).filter(**filters)


@pytest.fixture
def verify(tmp_path: Path) -> Verify:
    """Verifies the test database; with `anchor` against the anchor too."""

    def verified(anchor: bool = False, bodies: bool = False, keys: frozenset[bytes] = frozenset()) -> Report:
        with snapshot(connection.settings_dict) as database:
            file = Anchor(tmp_path / "anchor") if anchor else None
            return Verification(database, {public_key(), *keys}).run(file, bodies)

    return verified


@pytest.fixture
def seal(transactional_db: None, tmp_path: Path) -> Callable[[], None]:
    """Seals what is published."""
    sealer = Sealer(connect(connection.settings_dict), signing_key(), Anchor(tmp_path / "anchor"))

    def sealed() -> None:
        assert sealer.round(must=True) is not None

    return sealed


@pytest.fixture
def recorded(make_writer: MakeWriter, seal: Callable[[], None]) -> Writer:
    """Calls of one writer (the last is open), verdicts, policies and audit events: all of it sealed, then more."""
    writer = make_writer()
    seal()
    asyncio.run(calls(writer))
    change_policies()
    audit.record(actor="ada", action="key.created", subject="ci", detail={"team": "payments", "read": True})
    writer.stop(60)
    seal()
    return writer


async def calls(writer: Writer) -> None:
    for number in range(4):
        await whole_call(
            CallRecorder(make_facts(id=f"call_{number}", request_body=LARGE if number == 1 else b"{}"), writer)
        )
    late = CallRecorder(make_facts(id="call_late"), writer)
    await late.close("finished", 200)
    late.late(SHADOW)
    unended = CallRecorder(make_facts(id="call_open"), writer)
    unended.open()
    unended.decide(SHADOW)
    await unended.checkpoint([ToolCall("toolu_9", "Read", "{}")])


async def whole_call(call: CallRecorder) -> None:
    call.open()
    call.forwarded("anthropic", "claude-x", b'{"model":"claude-x"}')
    call.head(200, [("content-type", "application/json")])
    call.decide(BLOCKED)
    call.decide(SHADOW)
    call.original(b"what the model said")
    call.final(b"what the client got")
    call.note("translated", "something was left out", 2)
    call.usage(Usage(input_tokens=10, output_tokens=20, cache_read_tokens=0, cache_write_tokens=0), 636)
    call.changed(request=False, response=True)
    call.released([Text("Hello")])
    await call.checkpoint([ToolCall("toolu_1", "Bash", '{"command": "ls"}')])
    await call.close("blocked", 200)


def change_policies() -> None:
    policy = services.create_policy("words", actor="ada")
    first = services.create_version(policy, "uppercase_nth_word", {"n": 2}, actor="ada", note="because")
    second = services.create_version(policy, "uppercase_nth_word", {"n": 3}, actor="ada")
    services.activate(first, actor="ada")
    services.activate(second, Terms(mode="shadow", percent=50, deadline=2.5), actor="grace")
    other = services.create_policy("ended", actor="ada")
    services.activate(services.create_version(other, "uppercase_nth_word", {"n": 4}, actor="ada"), actor="ada")
    services.deactivate(other, actor="ada")
