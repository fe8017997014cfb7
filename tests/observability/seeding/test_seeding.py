from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from observability import queries
from observability.models import CallRecord, SearchEntry, SessionCall, SessionSummary
from observability.search import indexing
from observability.seeding.seeding import seed

pytestmark = pytest.mark.django_db(transaction=True)


def entries() -> list[tuple[object, ...]]:
    rows = [tuple(row.values()) for row in SearchEntry.objects.order_by("number").values()]
    rows += [tuple(row.values()) for row in SessionCall.objects.order_by("pk").values()]
    return rows + [tuple(row.values())[1:] for row in SessionSummary.objects.order_by("session", "team").values()]


def test_seeded_calls_are_whole_and_indexed_as_the_index_would_have_done_it() -> None:
    assert list(seed(250)) == [200, 250]
    record = CallRecord.objects.filter(outcome="blocked").first()
    assert record is not None
    diff = queries.diff(record)
    assert diff["response"]["changed"] and diff["response"]["original"] != diff["response"]["final"]
    made = entries()
    assert SearchEntry.objects.count() == SessionCall.objects.count() == 250
    indexing.forget(SearchEntry.objects.values_list("call_id", flat=True))
    while indexing.catch_up():
        pass
    assert entries() == made


def test_the_chain_of_seeded_calls_verifies(
    capsys: pytest.CaptureFixture[str], settings: Settings, tmp_path: Path
) -> None:
    settings.LUTHIEN_ANCHOR_FILE = tmp_path / "anchor"
    call_command("seed_calls", "30", "--seed", "3")
    assert "30 calls in" in capsys.readouterr().out
    call_command("verify_audit")


def test_no_calls_at_all_are_a_mistake() -> None:
    with pytest.raises(CommandError, match="1 or more"):
        call_command("seed_calls", "0")
