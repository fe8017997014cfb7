"""What comes with an answer's head: judged while the call is being put on record, its first word ahead of the rest."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from gateway.calls import Head, Incoming
from gateway.dialects import ANTHROPIC as DIALECT
from gateway.dialects.frames import FrameWriter
from gateway.directory import Client, Directory, Route, Target
from gateway.live_call import LiveCall
from gateway.pipeline import run_call
from gateway.upstreams.base import Headers, Outgoing
from observability.recording.recorder import RecordUnavailable
from observability.recording.waiting import Waiter
from observability.rows.entries import Closing, Opening
from policies.active import ActivePolicy, ActiveSet
from policies.base import Call, Policy
from tests.gateway.running import ANTHROPIC, DEADLINE, START, STOP, Collected, Sent, text

WORDS = 60


@dataclass
class Whole:
    """An answer whose `body` is there with its head."""

    body: bytes
    status: int = 200
    headers: Headers = field(default_factory=lambda: [("content-type", "text/event-stream")])

    def at_hand(self) -> bytes:
        body, self.body = self.body, b""
        return body

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        if rest := self.at_hand():
            yield rest

    async def read(self) -> bytes:
        return self.at_hand()


class Prompt:
    """A provider that says everything at once."""

    provider = "prompt"

    def __init__(self, body: bytes) -> None:
        self._body = body

    @asynccontextmanager
    async def send(self, outgoing: Outgoing) -> AsyncIterator[Whole]:
        yield Whole(self._body)

    async def close(self) -> None:
        """There is nothing to close."""


class Hesitating(Collected):
    """A record's writer that has an opening durable when it is told to, and everything else at once."""

    def __init__(self) -> None:
        super().__init__()
        self.opening = Waiter()

    def submit(self, entry: Any) -> Waiter | None:  # type: ignore[override]
        super().submit(entry)
        return self.opening if isinstance(entry, Opening) else None


class Noting(Policy):
    """Has each text noted before it lets it go."""

    def __init__(self, note: Any) -> None:
        super().__init__()
        self._note = note

    def on_text_delta(self, text: str, call: Call, final: bool) -> tuple[str, int]:
        self._note(text)
        return text, 0


async def asked(monkeypatch: pytest.MonkeyPatch, body: bytes, writer: Collected, note: Any) -> LiveCall:
    monkeypatch.setattr("observability.recording.writer.current", lambda: writer)
    request = json.dumps(ANTHROPIC.body("say hi", stream=True)).encode()
    incoming = Incoming(DIALECT, Client("plain", "", True, False, 1), "POST", "/messages", {}, request)
    routes = [Route("demo/*", Target("prompt", "anthropic", "", Prompt(body)))]
    active = ActiveSet(1, (ActivePolicy("noting", 1, Noting(note)),))
    return await LiveCall.of(incoming, Directory.of(1, active, {}, routes))


async def test_it_is_judged_while_the_call_is_put_on_record_and_leaves_after_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    writer, sent, judged = Hesitating(), Sent(), asyncio.Event()
    call = await asked(monkeypatch, START + text(0, "word") + STOP, writer, lambda text: judged.set())
    running = asyncio.create_task(run_call(call, sent))
    async with asyncio.timeout(DEADLINE):
        await judged.wait()
    assert sent.pieces == []
    writer.opening.settle(None)
    await running
    head, *rest = sent.pieces
    assert isinstance(head, Head)
    assert b"".join(piece for piece in rest if isinstance(piece, bytes)) == START + text(0, "word") + STOP


async def test_nothing_of_it_leaves_where_the_call_cannot_be_put_on_record(monkeypatch: pytest.MonkeyPatch) -> None:
    writer, sent = Hesitating(), Sent()
    call = await asked(monkeypatch, START + text(0, "word") + STOP, writer, len)
    writer.opening.settle(RecordUnavailable("the database is away"))
    await run_call(call, sent)
    (head,) = sent.pieces
    assert isinstance(head, Head)
    assert (head.status, b"word" in (head.body or b"")) == (503, False)


async def test_the_first_word_is_on_its_way_before_the_last_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    happened: list[str] = []

    class Turning(Sent):
        async def send(self, body: bytes) -> None:
            # A server writes when its loop comes round.
            asyncio.get_running_loop().call_soon(happened.append, "written")

    words = text(0, *(f"word{number} " for number in range(WORDS)))
    call = await asked(monkeypatch, START + words + STOP, Collected(), happened.append)
    await run_call(call, Turning())
    assert happened[0] == "word0 "
    assert happened.index("written") < happened.index(f"word{WORDS // 2} ")


async def test_what_is_wrong_in_it_is_told_behind_the_head_as_it_is_later(monkeypatch: pytest.MonkeyPatch) -> None:
    writer, sent = Collected(), Sent()
    call = await asked(monkeypatch, START + b"data: {not json\n\n", writer, len)
    await run_call(call, sent)
    head, *rest = sent.pieces
    assert isinstance(head, Head)
    assert (head.status, head.body) == (200, None)
    assert b"event: error" in b"".join(piece for piece in rest if isinstance(piece, bytes))
    (closing,) = (entry for entry in writer.entries if isinstance(entry, Closing))
    assert closing.outcome == "upstream_error"


async def test_a_bug_of_our_own_behind_the_head_is_told_without_its_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: object, events: object) -> bytes:
        raise ZeroDivisionError("a secret of the code's")

    writer, sent = Collected(), Sent()
    call = await asked(monkeypatch, START + text(0, "word") + STOP, writer, len)
    monkeypatch.setattr(FrameWriter, "write", fail)
    await run_call(call, sent)
    head, *rest = sent.pieces
    assert isinstance(head, Head)
    told = b"".join(piece for piece in rest if isinstance(piece, bytes))
    assert head.status == 200
    assert b'"api_error"' in told and b"secret" not in told
    (closing,) = (entry for entry in writer.entries if isinstance(entry, Closing))
    assert (closing.outcome, "secret" in closing.fields["error_message"]) == ("cut", False)
