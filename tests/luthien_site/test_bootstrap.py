import fcntl
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from luthien_site import bootstrap
from luthien_site.bootstrap import InstallError, Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """An installation with locks and a Python, and nothing installed."""
    place = Place(tmp_path)
    (tmp_path / "requirements").mkdir()
    for name in ("base", "dev", "uv"):
        place.lock(name).write_text(f"{name}-package==1.0 \\\n    --hash=sha256:00\n")
    place.python.parent.mkdir(parents=True)
    place.python.symlink_to(sys.executable)
    place.cache.mkdir()
    return place


@pytest.mark.parametrize(
    ("argv", "lock"),
    [
        (["manage.py"], "base"),
        (["manage.py", "up", "--port", "test"], "base"),
        (["manage.py", "test", "-q"], "dev"),
        (["manage.py", "check_code"], "dev"),
        (["manage.py", "bench"], "dev"),
    ],
)
def test_only_commands_of_developers_need_the_larger_lock(argv: list[str], lock: str) -> None:
    assert bootstrap.lock_for(argv) == lock


def test_without_a_stamp_the_wanted_lock_is_missing(place: Place) -> None:
    assert bootstrap.missing(place, "base") == "base"
    assert bootstrap.missing(place, "dev") == "dev"


def test_with_the_right_stamp_nothing_is_missing(place: Place) -> None:
    place.stamp.write_text(bootstrap.stamp_of(place, "base") + "\n")
    assert bootstrap.missing(place, "base") is None
    assert bootstrap.missing(place, "dev") == "dev"


def test_the_larger_lock_serves_the_smaller_command(place: Place) -> None:
    place.stamp.write_text(bootstrap.stamp_of(place, "dev"))
    assert bootstrap.missing(place, "base") is None


def test_a_changed_lock_is_missing_and_never_downgrades(place: Place) -> None:
    place.stamp.write_text(bootstrap.stamp_of(place, "dev"))
    place.lock("dev").write_text("dev-package==2.0\n")
    assert bootstrap.missing(place, "base") == "dev"


def test_a_python_that_is_gone_makes_everything_missing(place: Place) -> None:
    place.stamp.write_text(bootstrap.stamp_of(place, "base"))
    place.python.unlink()
    place.python.symlink_to("/nowhere/python")
    assert bootstrap.missing(place, "base") == "base"


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("OSError: [Errno 28] No space left on device: '/x'", "The disk is full"),
        ("error: failed to create directory (os error 13)", "There is no permission to write"),
        ("Read-only file system", "There is no permission to write"),
        ("pip._vendor.urllib3.exceptions.NewConnectionError: ... Failed to establish", "cannot be reached"),
        ("error: Failed to fetch: `...`\n  Caused by: dns error", "cannot be reached"),
        ("cause: error sending request\n  cause: invalid peer certificate: UnknownIssuer", "SSL_CERT_FILE"),
        ("/usr/bin/python3: No module named pip", "has no pip"),
        ("The virtual environment was not created because ensurepip is not available.", "cannot make environments"),
        ("THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "does not match its hash"),
        ("Something never seen before", "install.log"),
    ],
)
def test_failures_are_one_sentence(place: Place, output: str, sentence: str) -> None:
    explained = bootstrap.explain(output, place)
    assert sentence in explained
    assert "\n" not in explained


def test_a_failed_step_keeps_its_output_and_stops(place: Place) -> None:
    with pytest.raises(InstallError, match="install.log"):
        bootstrap.run(place, sys.executable, "-c", "print('what happened'); raise SystemExit(3)")
    assert "what happened" in (place.cache / "install.log").read_text()


def test_steps_do_not_see_the_shells_environment(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIRTUAL_ENV", "/somewhere/else")
    bootstrap.run(place, sys.executable, "-c", "import os; raise SystemExit('VIRTUAL_ENV' in os.environ)")


def test_a_failed_installation_is_taken_up_again_as_it_was(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.stamp.write_text("dev of-an-older-lock")
    monkeypatch.setattr(bootstrap, "fetch_uv", lambda place: Path("/bin/false"))
    with pytest.raises(InstallError):
        bootstrap.install(place, "base")
    assert bootstrap.missing(place, "base") == "dev"


def test_an_installation_is_stamped_and_not_repeated(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[tuple[str | Path, ...]] = []
    monkeypatch.setattr(bootstrap, "fetch_uv", lambda place: Path("/uv"))
    monkeypatch.setattr(bootstrap, "run", lambda place, *command: commands.append(command))
    bootstrap.install(place, "base")
    bootstrap.install(place, "base")
    assert len(commands) == 1
    assert "--require-hashes" in commands[0]
    assert commands[0][commands[0].index("--python") + 1] == place.python


def test_without_uv_pip_installs_by_hash(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[tuple[str | Path, ...]] = []
    monkeypatch.setattr(bootstrap, "fetch_uv", lambda place: None)
    monkeypatch.setattr(bootstrap, "run", lambda place, *command: commands.append(command))
    place.python.unlink()
    bootstrap.install(place, "base")
    assert [command[1:3] for command in commands] == [("-m", "venv"), ("-m", "pip")]
    assert "--require-hashes" in commands[1]


def test_only_one_installs_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entered, waits = threading.Event(), threading.Event()
    said: list[str] = []

    def say(line: str) -> None:
        said.append(line)
        waits.set()

    monkeypatch.setattr(bootstrap, "say", say)

    def second() -> None:
        with bootstrap.alone(tmp_path / "lock"):
            entered.set()

    with (tmp_path / "lock").open("w") as first:
        fcntl.flock(first, fcntl.LOCK_EX)
        thread = threading.Thread(target=second)
        thread.start()
        assert waits.wait(60)
        assert not entered.is_set()
        fcntl.flock(first, fcntl.LOCK_UN)
    thread.join()
    assert entered.is_set()
    assert said == ["Waiting for another installation to end ..."]


def test_the_packages_of_a_lock_are_counted() -> None:
    assert bootstrap.count_packages("a==1 \\\n    --hash=sha256:00\n    # via b\nc[d]==2 ; sys_platform == 'x'\n") == 2


def test_the_first_command_needs_the_standard_library_alone() -> None:
    code = "import sys; sys.path.insert(0, ''); import luthien_site.bootstrap, luthien_site.environment"

    done = subprocess.run([bootstrap.base_python(), "-I", "-S", "-c", code], cwd=bootstrap.ROOT, capture_output=True)
    assert done.returncode == 0, done.stderr
