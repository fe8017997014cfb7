"""What an erasure takes and leaves, that nothing of it is left in the file, and that the chain verifies after it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.db.models import Min
from django.utils import timezone

from observability import queries
from observability.bodies.reading import Blobs
from observability.models import AuditEvent, Blob, Block, CallRecord, Decision
from observability.recording.recorder import CallRecorder
from observability.recording.writer import Writer
from observability.reports.folder import path_of
from observability.retention import collector, erasure, holds, pace, purge, scrubbing
from observability.retention.erasure import Erased, Subject
from policies.content import ToolCall
from policies.verdicts import Decision as Verdict
from tests.observability.bodies.test_payloads import compact, conversation, request
from tests.observability.conftest import MakeWriter, make_facts
from tests.observability.reports.conftest import asked, built
from tests.observability.retention.conftest import MUCH_LATER
from tests.observability.verification.conftest import Verify, rows

pytestmark = pytest.mark.django_db(transaction=True)
LONG_AGO = timezone.now() - timedelta(hours=25)
SECRET = "the patient's number is 4711-0815"


def erase(subject: Subject, **options: Any) -> Erased:
    done = Erased()
    for _ in erasure.erase(subject, actor="ada", done=done, **options):
        pass
    return done


def say(writer: Writer, bodies: Iterable[bytes], session: str, **facts: Any) -> None:
    """Puts a conversation on record whose every part quotes SECRET."""

    async def calls() -> None:
        for place, body in enumerate(bodies):
            call = CallRecorder(
                make_facts(id=f"{session}-{place}", session=session, request_body=body, **facts), writer
            )
            call.open()
            call.forwarded("anthropic", "claude-x", body.replace(b"assistant", b"helper"))
            call.head(200, [("x-said", SECRET)])
            call.decide(Verdict("p", 1, "enforce", "on_text", "text 0", "block", SECRET, evidence={"found": SECRET}))
            call.original(SECRET.encode() * 1000)
            call.final(SECRET.encode())
            call.note("noted", SECRET, 2)
            await call.checkpoint([ToolCall("toolu_1", "Bash", f'{{"command": "echo {SECRET}"}}')])
            await call.close("upstream_error", 200, "odd", SECRET)
            call.late(Verdict("q", 1, "shadow", "on_text", "text 0", "allow", SECRET, evidence={"found": SECRET}))

    async_to_sync(calls)()


def turns(*numbers: int) -> list[bytes]:
    return [compact(request(conversation(number))) for number in numbers]


def stored(session: str) -> list[bytes | None]:
    calls = CallRecord.objects.filter(session=session).order_by("pk")
    return [queries.payload(call, "request_original") for call in calls]


def test_an_erased_session_says_nothing_and_still_verifies(make_writer: MakeWriter, verify: Verify) -> None:
    writer = make_writer()
    say(writer, turns(20, 21, 22), "gone")
    say(writer, turns(30), "kept")
    writer.stop(60)
    kept = stored("kept")
    Blob.objects.update(touched_at=LONG_AGO)
    done = erase(Subject("session", "gone"))
    assert (done.calls, done.verdicts, done.bodies.waiting) == (3, 3, 0)
    calls = CallRecord.objects.filter(session="gone")
    assert calls.count() == 3
    for row in map(dict, calls.values()):
        assert SECRET not in str(row)
        assert all(row[name] == value for name, value in erasure.NOTHING.items() if name != "nonces")
    assert SECRET not in str(list(Decision.objects.filter(call__session="gone").values()))
    assert not Block.objects.filter(call__session="gone").exclude(arguments=None).exists()
    assert stored("kept") == kept
    report = verify(bodies=True)
    assert (report.findings, report.calls.erased, report.removed) == ([], 3, 3)
    assert AuditEvent.objects.get(action=erasure.FINISHED).actor == "ada"
    assert sum(collector.collect(MUCH_LATER)) == 0, "everything that could go has gone"


def test_a_body_that_another_session_is_built_on_stays_whole_without_what_it_did_not_use(
    make_writer: MakeWriter, verify: Verify
) -> None:
    first, second = make_writer(), make_writer()
    only = b'{"role":"user","content":"%s"}' % (b"only the first session said this " * 60)
    long = compact(request(conversation(20)))
    forked = long[:-2] + b"," + only + long[-2:]
    assert only in forked
    # The fork goes on from a request of the first session, whose parent it does not share.
    say(first, [forked, long], "gone", key="ci")
    say(second, [long, *turns(21, 22)], "fork", key="ci")
    for writer in (first, second):
        writer.stop(60)
    Blob.objects.update(touched_at=LONG_AGO)
    wanted = stored("fork")
    assert wanted == [long, *turns(21, 22)]
    done = erase(Subject("session", "gone"))
    assert stored("fork") == wanted
    assert done.bodies.rebuilt > 0
    assert verify(bodies=True).findings == []
    assert not any(only in Blobs()(bytes(digest))[1] for digest in Blob.objects.values_list("pk", flat=True))


def test_what_a_gateway_may_still_count_on_waits_for_the_collection(make_writer: MakeWriter, verify: Verify) -> None:
    writer = make_writer()
    say(writer, turns(20, 21), "gone")
    done = erase(Subject("session", "gone"))
    assert done.bodies.waiting > 0
    say(writer, turns(22), "gone-on")
    wanted = stored("gone-on")
    writer.stop(60)
    assert sum(collector.collect()) == 0
    assert sum(collector.collect(timezone.now() + timedelta(hours=25))) > 0
    assert stored("gone-on") == wanted == turns(22)
    assert verify(bodies=True).findings == []


def test_a_key_is_erased_with_all_its_sessions(recorded: Writer, verify: Verify) -> None:
    found = erasure.find(Subject("key", "ci"))
    assert (found.erasable, found.held, found.open, found.erased) == (5, 0, 1, 0)
    assert erase(Subject("key", "ci")).calls == 5
    assert erase(Subject("key", "other")).calls == 0
    assert verify(anchor=True).findings == []
    assert erasure.find(Subject("key", "ci")).erased == 5


def test_reports_that_may_quote_what_is_erased_are_withdrawn(recorded: Writer, verify: Verify) -> None:
    first = CallRecord.objects.filter(key="ci").aggregate(first=Min("started_at"))["first"]
    hour = timedelta(hours=1)
    quoting, telling = (built(contents=contents, since=first - hour) for contents in (True, False))
    elsewhere = built(contents=True, since=first - 3 * hour, until=first - 2 * hour)
    waiting = asked(contents=True, since=first - hour)
    assert erase(Subject("key", "ci")).reports == 2
    assert not path_of(quoting).exists()
    assert path_of(telling).exists()
    assert path_of(elsewhere).exists()
    waiting.job.refresh_from_db()
    assert waiting.job.state == "cancelled"
    assert AuditEvent.objects.filter(action="report.withdrawn").count() == 2
    assert erase(Subject("key", "ci")).reports == 0
    assert verify(bodies=True).findings == []


def test_a_hold_wins_over_an_erasure(recorded: Writer, verify: Verify) -> None:
    holds.place("call", "call_1", "a lawsuit", actor="ada")
    holds.place("call", "call_late", "a lawsuit", actor="ada")
    assert erasure.find(Subject("key", "ci")).held == 2
    assert erase(Subject("key", "ci")).calls == 3
    assert set(CallRecord.objects.exclude(nonces=b"").values_list("pk", flat=True)) == {
        "call_1", "call_late", "call_open",
    }  # fmt: skip
    assert Decision.objects.filter(late=True).count() == 1
    assert verify(bodies=True).findings == []


def test_an_erasure_that_is_killed_goes_on_where_it_was(
    recorded: Writer, verify: Verify, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "FIRST", 1)
    begun = erasure.erase(Subject("key", "ci"), actor="ada")
    assert next(begun) == 1
    monkeypatch.setattr(erasure, "bury", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        next(begun)
    assert verify(bodies=True).findings == []
    monkeypatch.undo()
    assert erase(Subject("key", "ci")).calls == 4
    assert verify(bodies=True).findings == []


def test_what_was_erased_is_purged_like_the_rest(recorded: Writer, verify: Verify) -> None:
    erase(Subject("key", "ci"))
    assert sum(purge.purge(MUCH_LATER)) == 5
    assert verify(anchor=True, bodies=True).findings == []


def test_somebody_elses_erasure_is_found(recorded: Writer, verify: Verify) -> None:
    erase(Subject("session", "session-1"))
    rows(CallRecord, pk="call_1").update(error_message="put in later")
    assert [each.what for each in verify().findings] == ["call call_1: was erased, and something was put in"]


def test_nothing_of_it_is_left_in_the_database(make_writer: MakeWriter) -> None:
    """In SQLite's files not a byte; PostgreSQL's are not looked at here, docs/retention.md says what stays in them."""
    writer = make_writer()
    say(writer, turns(20, 21, 22), "gone")
    writer.stop(60)
    traces = {SECRET.encode(), *(bytes(blob.data) for blob in Blob.objects.all())}
    for call in CallRecord.objects.all():
        traces |= {bytes(call.opening_bodies or b"?"), bytes(call.closing_bodies or b"?")} - {b"?"}
    pieces = {trace[at : at + 48] for trace in traces for at in range(0, max(len(trace) - 48, 1), 48)}
    if connection.vendor == "sqlite":
        assert any(piece in on_disk() for piece in pieces)
    Blob.objects.update(touched_at=LONG_AGO)
    erase(Subject("session", "gone"))
    scrubbing.rewrite()
    assert scrubbing.empty_log()
    assert not Blob.objects.exists()
    assert SECRET not in str([list(model.objects.values()) for model in (CallRecord, Block, Decision, AuditEvent)])
    if connection.vendor == "sqlite":
        found = on_disk()
        assert not [piece for piece in pieces if piece in found]


def on_disk() -> bytes:
    path = str(connection.settings_dict["NAME"])
    return b"".join(Path(f"{path}{end}").read_bytes() for end in ("", "-wal") if Path(f"{path}{end}").exists())
