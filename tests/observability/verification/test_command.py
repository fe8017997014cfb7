from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from observability import audit
from observability.management.commands import verify_audit
from observability.management.commands.verify_audit import Bar
from observability.models import AuditEvent, CallRecord, Seal
from observability.recording.writer import Writer
from observability.sealing.keys import public_key, signing_key
from observability.sealing.tombstones import Range, bury


def run(tmp_path: Path, *arguments: str, anchor: bool = True) -> tuple[int, str]:
    """The exit status, and what was printed."""
    said = io.StringIO()
    options = ["--anchor", str(tmp_path / "anchor")] if anchor else []
    try:
        call_command("verify_audit", *options, *arguments, stdout=said, stderr=io.StringIO())
    except CommandError as error:
        return error.returncode, said.getvalue() + str(error)
    return 0, said.getvalue()


def test_it_says_what_is_sealed_pending_and_open(recorded: Writer, tmp_path: Path) -> None:
    audit.record(actor="ada", action="key.revoked")
    status, said = run(tmp_path, "--bodies")
    assert status == 0
    assert "Looked at  6 calls, 10 verdicts, 11 audit events, 3 policy versions, 3 activations" in said
    assert "Sealed     16 of 17 leaves in 2 chains, seal 2 of " in said
    assert "Pending    1 leaf that" in said
    assert "Open       1 call not ended" in said
    assert "Anchor     2 seals in " in said
    assert said.endswith("All of it holds.\n")


def test_it_names_the_first_thing_that_is_wrong(recorded: Writer, tmp_path: Path) -> None:
    CallRecord.objects.filter(sequence__isnull=False).update(error_message="x")
    AuditEvent.objects.filter(sequence__lte=9).update(actor="x" * 30)
    AuditEvent.objects.filter(sequence=2).update(detail="x")
    status, said = run(tmp_path)
    assert status == 1
    assert "First: call call_0: was edited, or its blocks or verdicts were (20" in said
    assert "14 things are wrong." in said


def test_more_findings_than_anybody_reads_are_counted(
    recorded: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("observability.management.commands.verify_audit.SHOWN", 2)
    CallRecord.objects.filter(sequence__isnull=False).update(error_message="x")
    assert "and 2 more" in run(tmp_path)[1]


def test_removals_and_erasures_on_purpose_are_told(recorded: Writer, tmp_path: Path, seal: Callable[[], None]) -> None:
    call = CallRecord.objects.get(pk="call_1")
    CallRecord.objects.filter(pk="call_1").delete()
    gap = Range(call.boot_id, 2, 2, bytes(call.chain or b""))
    audit.record(actor="luthien", action="record.purged", commits=bury("removed", [gap], signing_key()))
    CallRecord.objects.filter(pk="call_late").update(
        nonces=b"",
        request_original=None,
        request_final=None,
        opening_bodies=None,
        closing_bodies=None,
        request_headers=[],
    )
    gone = Range(call.boot_id, 5, 5, b"")
    audit.record(actor="luthien", action="record.erased", commits=bury("erased", [gone], signing_key()))
    status, said = run(tmp_path)
    assert (status, "Removed    1 leaf," in said, "Erased     the bodies of 1 call," in said) == (0, True, True)


def test_what_cannot_be_found_out_is_neither_right_nor_wrong(
    recorded: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(tmp_path / "nowhere") == (2, "The anchor cannot be read: No such file or directory.")
    assert run(tmp_path, "--key", "abc") == (2, "A public key is 64 hexadecimal digits.")
    nowhere: dict[str, Any] = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "no" / "database")}
    elsewhere = {"default": SimpleNamespace(settings_dict=nowhere)}
    monkeypatch.setattr("observability.management.commands.verify_audit.connections", elsewhere)
    status, said = run(tmp_path)
    assert (status, said.startswith("The database cannot be read: ")) == (2, True)


def test_the_anchor_of_the_settings_is_used_where_there_is_one(recorded: Writer, tmp_path: Path, settings: Any) -> None:
    settings.LUTHIEN_ANCHOR_FILE = tmp_path / "none"
    assert "Anchor     none" in run(tmp_path, anchor=False)[1]
    settings.LUTHIEN_ANCHOR_FILE = tmp_path / "anchor"
    Seal.objects.all().delete()
    assert run(tmp_path, anchor=False)[0] == 1


def test_without_any_seal_it_says_so(transactional_db: None, tmp_path: Path, settings: Any) -> None:
    settings.LUTHIEN_ANCHOR_FILE = tmp_path / "none"
    status, said = run(tmp_path, anchor=False)
    assert (status, "there is no seal" in said) == (0, True)


def test_a_key_of_before_is_trusted_when_it_is_named(recorded: Writer, tmp_path: Path, settings: Any) -> None:
    before = public_key().hex()
    settings.LUTHIEN_SIGNING_KEY = "ab" * 32
    assert run(tmp_path)[0] == 1
    assert run(tmp_path, "--key", before)[0] == 0


def test_the_public_key_is_printed_alone(tmp_path: Path) -> None:
    assert run(tmp_path, "--print-key") == (0, f"{public_key().hex()}\n")


def test_a_terminal_gets_a_bar_and_a_file_gets_lines(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    times = iter([0.0, 0.01, 0.2, 0.21, 0.0, 1.0, 11.0])
    monkeypatch.setattr(verify_audit, "time", SimpleNamespace(monotonic=lambda: next(times)))
    bar = Bar(is_terminal=True)
    bar(1, 4)
    bar(2, 4)
    bar(4, 4)
    assert capsys.readouterr().err == f"\r[{'#' * 20}{'.' * 20}]  50%\r[{'#' * 40}] 100%\n"
    lines = Bar(is_terminal=False)
    lines(1, 4)
    lines(2, 4)
    assert capsys.readouterr().err == "2 of 4 rows\n"
