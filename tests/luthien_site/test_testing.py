import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from luthien_site import testing


def program(folder: Path, name: str, code: int = 0) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\nexit {code}\n")
    path.chmod(0o755)
    return path


def test_the_tests_run_on_several_processes_by_default() -> None:
    arguments = testing.spread(["tests/policies", "-q"])
    assert arguments[0] == "-n"
    assert arguments[2:] == ["--dist", "loadgroup", "--no-loadscope-reorder"]


@pytest.mark.parametrize("argument", ["-n0", "-n", "--pdb", "--numprocesses=3"])
def test_the_callers_word_on_processes_stands(argument: str) -> None:
    assert testing.spread([argument]) == []


def test_a_chromium_that_does_not_run_is_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program(tmp_path, "chromium", code=1)
    works = program(tmp_path, "google-chrome")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(testing.CHROMIUM, raising=False)
    assert testing.find_chromium() == str(works)


def test_a_chromium_that_is_named_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    named = program(tmp_path, "mine")
    program(tmp_path, "chromium")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv(testing.CHROMIUM, str(named))
    assert testing.find_chromium() == str(named)


def test_without_a_chromium_the_run_is_red_and_names_the_command(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for way in ("find_chromium", "download_chromium", "install_chromium"):
        monkeypatch.setattr(testing, way, lambda: None)
    assert testing.run([]) == 1
    assert "apt-get install chromium" in capfd.readouterr().err


def test_a_run_that_runs_nothing_is_red(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(testing, "find_chromium", lambda: "/bin/true")
    assert testing.run(["tests/luthien_site/test_environment.py", "-n0", "-q", "-k", "no_test_is_named_so"]) == 5


def test_what_is_compiled_is_kept_for_all_processes_where_nothing_may_stand_beside_the_sources(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(testing, "find_chromium", lambda: "/bin/true")
    monkeypatch.setattr(testing, "BYTECODE", tmp_path)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    assert testing.run(["--version"]) == 0
    assert any(tmp_path.rglob("pytest/__init__.*.pyc"))


def test_node_comes_from_its_wheel() -> None:
    assert testing.find_node({"PATH": str(Path(sys.executable).parent)}) is not None


@pytest.mark.parametrize("arguments", [["--live", "-q"], ["-q"]])
def test_real_providers_are_asked_alone_and_only_when_told_to(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    ran: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[bytes]:
        ran.append(command[2:])
        return subprocess.CompletedProcess(command, 3)

    monkeypatch.setattr(testing, "find_chromium", lambda: "chromium")
    monkeypatch.setattr(testing, "find_node", lambda _: "node")
    monkeypatch.setattr(subprocess, "run", run)
    assert testing.run(arguments) == 3
    live = "--live" in arguments
    assert ran == [
        ["pytest", *([] if live else testing.spread(arguments)), *arguments, *(["tests/live"] if live else [])]
    ]


def test_without_the_flag_nothing_of_them_is_collected() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "tests/live", "--collect-only", "-q", "--db=sqlite"],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
    )
    assert "test_real_providers" not in done.stdout
