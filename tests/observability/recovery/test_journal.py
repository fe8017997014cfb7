from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from observability.recovery.journal import LAID_OUT, SUFFIX, Abandoned, Journal, NotAJournal, NotKept
from observability.rows.statements import Statement

ROWS: list[Statement] = [("INSERT ?", ((b"\x00\xff", "text \ud800", 1 << 62, None, True, 0.5),))]
WHEN = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal(tmp_path / f"one{SUFFIX}", 1 << 30)
    yield made
    made.close()


def left_in(folder: Path, data: bytes) -> list[int]:
    """The numbers of the entries that can be read from what a process left."""
    path = folder / f"left{SUFFIX}"
    path.write_bytes(data)
    (abandoned,) = Abandoned.all_in(folder)
    entries = [frame.entries for frame in abandoned.frames()]
    abandoned.done()
    abandoned.release()
    assert not path.exists()
    return entries


def test_what_was_appended_is_read_in_order_and_from_any_place(journal: Journal) -> None:
    journal.append([ROWS, ROWS], 2)
    journal.append([[("UPDATE ?", [(WHEN,)])]], 1)
    first, second = journal.frames()
    assert (first.transactions, first.entries) == ([ROWS, ROWS], 2)
    assert second.transactions == [[("UPDATE ?", ((WHEN,),))]]
    assert [frame.entries for frame in journal.frames(first.end)] == [1]
    assert list(journal.frames(second.end)) == []


def test_a_cut_at_any_byte_costs_only_what_was_not_appended_whole(tmp_path: Path) -> None:
    path = tmp_path / "elsewhere"
    journal = Journal(path, 1 << 30)
    ends = []
    for number in (1, 2, 3):
        journal.append([ROWS], number)
        ends.append(journal.size)
    data = path.read_bytes()[: journal.size]
    journal.close()
    for cut in range(len(data) + 1):
        whole = [number for number, end in zip((1, 2, 3), ends, strict=True) if end <= cut]
        assert left_in(tmp_path, data[:cut]) == whole
    flipped = bytearray(data)
    flipped[ends[0] + 20] ^= 1
    assert left_in(tmp_path, bytes(flipped)) == [1]


def test_frames_of_an_earlier_round_are_not_read(journal: Journal, tmp_path: Path) -> None:
    for number in (1, 2, 3):
        journal.append([ROWS], number)
    journal.begin_anew()
    assert journal.size == 0
    journal.append([ROWS], 4)
    assert [frame.entries for frame in journal.frames()] == [4]
    (tmp_path / "copy").mkdir()
    assert left_in(tmp_path / "copy", (tmp_path / f"one{SUFFIX}").read_bytes()) == [4]


def test_what_the_database_has_is_gone_from_the_disk(journal: Journal, tmp_path: Path) -> None:
    journal.append([[("INSERT ?", [(b"confidential" * 1000,)])]], 1)
    path = tmp_path / f"one{SUFFIX}"
    assert b"confidential" in path.read_bytes()
    journal.begin_anew()
    assert not any(path.read_bytes())


def test_a_journal_that_grew_shrinks_again(journal: Journal, tmp_path: Path) -> None:
    journal.append([[("INSERT ?", [(bytes(LAID_OUT),)])]], 1)
    path = tmp_path / f"one{SUFFIX}"
    assert path.stat().st_size > LAID_OUT
    journal.begin_anew()
    assert path.stat().st_size == LAID_OUT


def test_it_takes_no_more_than_its_limit(tmp_path: Path) -> None:
    journal = Journal(tmp_path / f"one{SUFFIX}", 1)
    row: list[Statement] = [("INSERT ?", [(bytes(LAID_OUT // 3),)])]
    journal.append([row], 1)
    assert not journal.is_full
    journal.append([row], 1)
    with pytest.raises(NotKept, match="limit"):
        journal.append([row], 1)
    assert len(list(journal.frames())) == 2
    journal.begin_anew()
    journal.close()


@pytest.mark.parametrize("value", [1 << 70, object()])
def test_what_no_database_takes_is_not_kept(journal: Journal, value: object) -> None:
    with pytest.raises(NotKept):
        journal.append([[("INSERT ?", [(value,)])]], 1)


def test_a_disk_that_fails_keeps_nothing_that_somebody_could_read(
    journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal.append([ROWS], 1)

    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fdatasync", fail)
        with pytest.raises(NotKept, match="No space"):
            journal.append([ROWS, ROWS], 2)
        assert journal.is_full, "nobody may count on it"
    (tmp_path / "copy").mkdir()
    assert left_in(tmp_path / "copy", (tmp_path / f"one{SUFFIX}").read_bytes()) == [1]
    journal.append([ROWS], 3)
    assert not journal.is_full
    assert [frame.entries for frame in journal.frames()] == [1, 3]


def test_the_first_append_that_fails_is_forgotten_too(
    journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", lambda descriptor, data, place: len(data) - 1)
        with pytest.raises(NotKept, match="No space"):
            journal.append([ROWS], 1)
    assert journal.is_used
    journal.begin_anew()
    assert not any((tmp_path / f"one{SUFFIX}").read_bytes())


def test_a_file_of_another_version_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / f"newer{SUFFIX}").write_bytes(b"lthjrnl9" + bytes(100))
    (abandoned,) = Abandoned.all_in(tmp_path)
    with pytest.raises(NotAJournal):
        abandoned.frames()
    abandoned.release()


def test_a_journal_that_cannot_be_laid_out_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        Journal(tmp_path / f"one{SUFFIX}", 1)
    assert list(tmp_path.iterdir()) == []


def test_the_journal_of_a_process_that_lives_is_nobody_elses(journal: Journal, tmp_path: Path) -> None:
    journal.append([ROWS], 1)
    assert list(Abandoned.all_in(tmp_path)) == []


def test_it_is_readable_for_its_owner_alone_and_goes_with_it(tmp_path: Path) -> None:
    path = tmp_path / "spill" / f"one{SUFFIX}"
    journal = Journal(path, 1)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    journal.close()
    assert not path.exists()
