from __future__ import annotations

from pathlib import Path

import pytest
from asgiref.sync import sync_to_async

from observability.models import CallRecord
from observability.recording.recorder import CallRecorder
from observability.recovery import journal
from observability.recovery.journal import SUFFIX, Journal
from observability.rows.statements import Statement
from tests.observability.conftest import MakeWriter, make_facts
from tests.observability.weather import whole_call

OF_ANOTHER_VERSION: list[Statement] = [("INSERT INTO observability_gone (a) VALUES (?)", [(1,)])]


def leave(folder: Path, name: str, *statements: Statement) -> Path:
    """The journal of a process that died."""
    path = folder / f"{name}{SUFFIX}"
    left = Journal(path, 1 << 30)
    left.append([list(statements)], 1)
    left.close()
    return path


@pytest.mark.parametrize("left", ["statement", "format", "nothing"])
async def test_a_journal_that_cannot_be_brought_home_stays_and_keeps_nobody_waiting(
    make_writer: MakeWriter, tmp_path: Path, left: str
) -> None:
    folder = tmp_path / "spill"
    folder.mkdir()
    path = folder / f"boot_gone{SUFFIX}"
    if left == "statement":
        leave(folder, "boot_gone", *OF_ANOTHER_VERSION)
    else:
        path.write_bytes(b"lthjrnl9" + bytes(100) if left == "format" else bytes(100))
    writer = make_writer(find_orphans=True)
    await whole_call(CallRecorder(make_facts(id="call_x"), writer))
    assert await sync_to_async(writer.stop)(60)
    assert (await CallRecord.objects.aget()).outcome == "finished"
    assert path.exists() == (left != "nothing"), "what may hold records is never deleted"


async def test_a_journal_in_the_making_is_nobody_elses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []
    real = journal._locked

    def look(descriptor: int) -> bool:
        seen.append([each.path.name for each in journal.Abandoned.all_in(tmp_path)] if len(seen) < 1 else [])
        return real(descriptor)

    monkeypatch.setattr(journal, "_locked", look)
    Journal(tmp_path / f"boot_new{SUFFIX}", 1).close()
    assert seen == [[]]
