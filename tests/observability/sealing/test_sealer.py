"""The sealer on a real database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic

import pytest
from asgiref.sync import sync_to_async
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import connection
from django.utils import timezone

from observability import audit
from observability.models import CallRecord, ChainHead, Process
from observability.models import Seal as SealRow
from observability.recording.recorder import CallRecorder
from observability.rows.database import connect
from observability.rows.process import Ownership
from observability.sealing import sealer as sealing
from observability.sealing.anchor import Anchor
from observability.sealing.heads import Head, Heads
from observability.sealing.sealer import IDLE, SEAL_SECONDS, Sealer
from observability.sealing.statement import Seal
from tests.observability.conftest import MakeWriter, make_facts

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
Make = Callable[..., Sealer]


@pytest.fixture
def make(transactional_db: None, tmp_path: Path) -> Make:
    def made(anchor: str = "anchor") -> Sealer:
        return Sealer(connect(connection.settings_dict), KEY, Anchor(tmp_path / anchor))

    return made


def later(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def stored() -> list[Seal]:
    return [Seal.read(line) for line in SealRow.objects.values_list("line", flat=True)]


def test_a_seal_names_the_heads_that_moved_and_covers_all(make: Make, tmp_path: Path) -> None:
    sealer = make()
    audit.record(actor="ada", action="one")
    ChainHead.objects.create(name="boot_a", sequence=3, chain=b"\1" * 32)
    first = sealer.round()
    audit.record(actor="ada", action="two")
    second = sealer.round(now=later(SEAL_SECONDS))
    assert first is not None and second is not None
    assert [head[:2] for head in first.heads] == [("audit", 1), ("boot_a", 3)]
    assert [head[:2] for head in second.heads] == [("audit", 2)]
    assert second.root == Heads([Head("boot_a", 3, b"\1" * 32), *second.heads]).root
    assert second.previous == first.digest
    assert stored() == [first, second] == list(Anchor(tmp_path / "anchor").read())


def test_without_news_there_is_no_seal_but_one_an_hour(make: Make) -> None:
    sealer = make()
    assert sealer.round() is not None, "the first seal says that there is nothing"
    assert sealer.round(now=later(SEAL_SECONDS)) is None
    assert sealer.round(now=datetime.now(UTC) + IDLE) is not None


def test_of_two_sealers_one_seals_and_both_fill_their_anchors(make: Make, tmp_path: Path) -> None:
    one, two = make("one"), make("two")
    for number in range(3):
        audit.record(actor="ada", action=str(number))
        now = later(number * SEAL_SECONDS)
        assert one.round(now=now) is not None
        assert two.round(now=now) is None
    audit.record(actor="ada", action="last")
    assert two.round(now=later(3 * SEAL_SECONDS)) is not None
    assert [seal.number for seal in stored()] == [1, 2, 3, 4]
    assert list(Anchor(tmp_path / "two").read()) == stored()
    assert list(Anchor(tmp_path / "one").read()) == stored()[:3]


def test_a_number_that_another_took_in_the_meantime_is_not_taken_again(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = make(), make()
    audit.record(actor="ada", action="first")
    store = Sealer._store

    def after_another(sealer: Sealer, seal: Seal) -> bool:
        monkeypatch.setattr(Sealer, "_store", store)
        two.round()
        return store(sealer, seal)

    monkeypatch.setattr(Sealer, "_store", after_another)
    assert one.round() is None
    audit.record(actor="ada", action="second")
    assert one.round(now=later(SEAL_SECONDS)) is not None
    assert [seal.number for seal in stored()] == [1, 2]


def test_a_clock_that_jumps_back_stops_no_sealing(make: Make) -> None:
    sealer = make()
    sealer.round(now=later(3600 * 24))
    audit.record(actor="ada", action="one")
    assert sealer.round() is not None


def test_seals_that_go_are_noticed(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    sealer = make()
    for number in range(3):
        audit.record(actor="ada", action=str(number))
        sealer.round(now=later(number * SEAL_SECONDS))
    SealRow.objects.filter(number__gt=1).delete()
    audit.record(actor="ada", action="more")
    assert sealer.round(now=later(60)) is not None
    assert "seals are gone" in caplog.text
    make().round(now=later(120), must=True)
    assert "anchor has seals" not in caplog.text, "the anchor ends with what the database ends with"
    SealRow.objects.all().delete()
    make().round(now=later(180))
    assert "anchor has seals" in caplog.text


def test_an_anchor_that_cannot_be_written_is_told_and_caught_up(
    make: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sealer = make()
    (tmp_path / "anchor").mkdir()
    sealer.round()
    assert "anchor cannot be written" in caplog.text
    (tmp_path / "anchor").rmdir()
    sealer.round()
    assert list(Anchor(tmp_path / "anchor").read()) == stored()


async def test_a_writer_that_leaves_publishes_its_end(make_writer: MakeWriter, make: Make) -> None:
    writer = make_writer()
    for _ in range(3):
        await CallRecorder(make_facts(), writer).close("finished", 200)
    assert await sync_to_async(writer.stop)(60)
    head = await ChainHead.objects.aget(name=writer.boot_id)
    last = await CallRecord.objects.aget(sequence=3)
    assert (head.sequence, bytes(head.chain), head.settled) == (3, bytes(last.chain or b""), True)


async def test_a_beat_publishes_the_chain(make_writer: MakeWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = make_writer()
    await CallRecorder(make_facts(), writer).close("finished", 200)
    monkeypatch.setattr("observability.rows.process.HEARTBEAT_SECONDS", 0.0)
    await CallRecorder(make_facts(), writer).close("finished", 200)
    head = await ChainHead.objects.aget(name=writer.boot_id)
    assert head.sequence >= 1
    assert not head.settled


async def test_what_a_killed_process_wrote_last_is_found(
    make_writer: MakeWriter, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("observability.rows.process.HEARTBEAT_SECONDS", 3600)
    writer = make_writer()
    for _ in range(2):
        await CallRecorder(make_facts(), writer).close("finished", 200)
    await Process.objects.aupdate(heartbeat_at=timezone.now() - timedelta(minutes=2))
    sealer = make()
    seal = await sync_to_async(sealer.round)()
    assert seal is not None
    assert [head[:2] for head in seal.heads] == [(writer.boot_id, 2)]
    assert (await ChainHead.objects.aget(name=writer.boot_id)).settled
    # It was only asleep: what it writes now is sealed too.
    monkey = Ownership(connect(connection.settings_dict))
    monkey.boot_id, monkey._beaten = writer.boot_id, monotonic()
    await sync_to_async(monkey.keep)((3, b"\3" * 32), must=True)
    assert not (await ChainHead.objects.aget(name=writer.boot_id)).settled


def test_the_thread_seals_at_the_end_what_came_last(
    transactional_db: None, tmp_path: Path, settings: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "LUTHIEN_ANCHOR_FILE", tmp_path / "anchor")
    sealing.start()
    sealing.start()
    audit.record(actor="ada", action="last")
    sealing.stop()
    assert stored()[-1].heads[0][:2] == ("audit", 1)
    assert Anchor(tmp_path / "anchor").last() == stored()[-1]
