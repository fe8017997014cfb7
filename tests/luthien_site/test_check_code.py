import pytest
from django.core.management import call_command

from luthien_site.management.commands import check_code


def test_all_checks_run_and_any_failure_is_red(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bad, good = ("python", "-c", "raise SystemExit(1)"), ("python", "-c", "")
    monkeypatch.setattr(check_code, "CHECKS", (("First", good), ("Second", bad), ("Third", good)))
    with pytest.raises(SystemExit) as end:
        call_command("check_code")
    assert end.value.code == 1
    said = capsys.readouterr()
    assert "Third ..." in said.out
    assert said.err.strip() == "Failed: Second."


def test_a_clean_tree_is_green(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(check_code, "CHECKS", (("Only", ("python", "-c", "")),))
    call_command("check_code")
    assert capsys.readouterr().out.endswith("All checks passed.\n")
