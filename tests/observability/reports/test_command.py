"""`verify_audit FILE`, as somebody runs it who has the file and the public key, and nothing else."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from observability.recording.writer import Writer
from observability.sealing.keys import public_key
from tests.observability.reports.conftest import archive, built
from tests.plugins.forked import ROOT

pytestmark = pytest.mark.django_db(transaction=True)


def run(*arguments: str) -> tuple[int, str]:
    """The exit status, and what was printed."""
    said = io.StringIO()
    try:
        call_command("verify_audit", *arguments, stdout=said)
    except CommandError as error:
        return error.returncode, said.getvalue() + str(error)
    return 0, said.getvalue()


def saved(tmp_path: Path, **options: Any) -> Path:
    path = tmp_path / "report.zip"
    path.write_bytes(archive(built(**options)))
    return path


def test_it_says_what_a_report_is_and_that_it_holds(recorded: Writer, tmp_path: Path) -> None:
    file = saved(tmp_path, contents=True, seen_teams=["research"], filters={"model": "claude-test"})
    status, said = run(str(file), "--anchor", str(tmp_path / "anchor"))
    assert status == 0, said
    assert "Report     Calls, 20" in said
    assert "Made       for ada at 20" in said and f"signed by {public_key().hex()}" in said
    assert "Filters    model: claude-test" in said
    assert "Files      5, and the manifest that names them" in said
    assert "Looked at  6 calls, 0 audit events, 7 leaves" in said
    assert "Sealed     7 leaves, by seal 2 of " in said and ", which the anchor has" in said
    assert "Pending    0 leaves" in said
    assert "Bodies     2 shown, 17 redacted: the leaves cover both" in said
    assert said.endswith("All of it holds.\n")


def test_what_is_wrong_is_told_with_the_exit_status(recorded: Writer, tmp_path: Path) -> None:
    file = saved(tmp_path)
    other = tmp_path / "other-anchor"
    other.touch()
    status, said = run(str(file), "--anchor", str(other))
    assert (status, "seal 2 that it stands on is not in the anchor" in said) == (1, True)
    status, said = run(str(file), "--key", "ab" * 32)
    assert (status, "is not trusted (--key trusts it)" in said) == (1, True)
    assert run(str(tmp_path / "nowhere"))[0] == 2
    assert run(str(file), "--key", "abc") == (2, "A public key is 64 hexadecimal digits.")
    file.write_bytes(b"PK")
    status, said = run(str(file))
    assert (status, "the archive is damaged" in said) == (1, True)


def test_a_report_without_a_seal_stands_on_none(transactional_db: None, tmp_path: Path) -> None:
    file = saved(tmp_path, kind="policy_changes")
    status, said = run(str(file), "--anchor", str(tmp_path / "anchor"))
    assert (status, "Sealed" in said, "Pending    0 leaves" in said) == (0, False, True)


def test_it_needs_no_database_and_no_server(recorded: Writer, tmp_path: Path) -> None:
    file = saved(tmp_path, contents=True)
    elsewhere = {
        **{name: value for name, value in os.environ.items() if "URL" not in name},
        "LUTHIEN_DATA_DIR": str(tmp_path / "elsewhere"),
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
        "REDIS_URL": "redis://127.0.0.1:1",
    }
    command = [sys.executable, str(ROOT / "manage.py"), "verify_audit", str(file), "--key", public_key().hex()]
    done = subprocess.run(command, cwd=ROOT, env=elsewhere, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("All of it holds.\n")
