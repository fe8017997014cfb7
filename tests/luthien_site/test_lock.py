from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from luthien_site import bootstrap


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What would have been run, each with the names of the files alone."""
    ran: list[list[str]] = []

    def run(place: bootstrap.Place, *command: str | Path) -> None:
        ran.append([part.name if isinstance(part, Path) else part for part in command])

    monkeypatch.setattr(bootstrap, "run", run)
    monkeypatch.setattr(bootstrap, "fetch_uv", lambda place: Path("/uv"))
    return ran


def test_every_lock_is_compiled_with_hashes_and_without_hosts(commands: list[list[str]]) -> None:
    call_command("lock")
    assert [command[-1] for command in commands] == ["uv.txt", "base.txt", "dev.txt"]
    for command in commands:
        assert {"--generate-hashes", "--universal", "--no-emit-index-url", "--no-header"} <= set(command)
        assert "--upgrade" not in command


def test_the_tests_lock_is_held_to_what_ships(commands: list[list[str]]) -> None:
    call_command("lock", upgrade=True)
    dev = commands[-1]
    assert dev[dev.index("--constraint") + 1] == "base.txt"
    assert all("--upgrade" in command for command in commands)


def test_without_the_compiler_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "fetch_uv", lambda place: None)
    with pytest.raises(CommandError, match="compiled by uv"):
        call_command("lock")
