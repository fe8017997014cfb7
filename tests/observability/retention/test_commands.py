"""`manage.py purge` and `manage.py erase`."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

from django.core.management import call_command
from django.db.models import F

from observability.models import CallRecord
from observability.recording.writer import Writer
from observability.retention import holds


def said(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_purge_says_first_and_then_does(recorded: Writer) -> None:
    CallRecord.objects.update(started_at=F("started_at") - timedelta(days=184))
    holds.place("call", "call_2", "a lawsuit", actor="ada")
    told = said("purge", "--dry-run")
    assert "Would go   4 calls and 0 audit events, the oldest of " in told
    assert "4 calls of payments" in told and "Held       1 call that would" in told
    assert CallRecord.objects.count() == 6
    assert said("purge").startswith("Deleted 4 calls and audit events, and 0 bodies.\nThe longest transaction took ")
    assert CallRecord.objects.count() == 2


def test_erase_says_what_goes_and_what_stays(recorded: Writer) -> None:
    holds.place("call", "call_2", "a lawsuit", actor="ada")
    told = said("erase", "--key", "ci", "--dry-run")
    assert told.splitlines() == [
        "Calls      4 to erase, 0 erased before",
        "Held       1 stay: a legal hold names them",
        "Open       1 have not ended: erase again when they have",
    ]
    assert not CallRecord.objects.filter(nonces=b"").exists()
    told = said("erase", "--session", "session-1", "--vacuum")
    assert "Erased     4 calls, 1 late verdict, " in told and "Waiting    " in told
    assert CallRecord.objects.filter(nonces=b"").count() == 4
