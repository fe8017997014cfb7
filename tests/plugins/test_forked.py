"""A forked process is what a started one would be."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.plugins import forked
from tests.plugins.forked import Forked

TELLS = """
import os, sys
from django.conf import settings
print(settings.configured, os.environ.get("SAID"), os.getcwd(), sys.argv, __name__, sys.path[1])
print("broken", file=sys.stderr)
"""


def python(program: str) -> Forked:
    return forked.start("-c", program, env={})


def test_it_has_its_own_environment_folder_arguments_and_files_and_no_settings_yet(tmp_path: Path) -> None:
    done = forked.run("-c", TELLS, "word", env={"SAID": "this", "PYTHONPATH": "/own"}, cwd=tmp_path)
    assert done.stdout == f"False this {tmp_path} ['-c', 'word'] __main__ /own\n"
    assert done.stderr == "broken\n"
    assert forked.run("-c", TELLS, env={}).stdout.startswith("False None ")


@pytest.mark.parametrize(
    ("program", "code"),
    [
        ("pass", 0),
        ("raise SystemExit(3)", 3),
        ("raise SystemExit('no')", 1),
        ("1 / 0", 1),
        ("import os, signal; os.kill(os.getpid(), signal.SIGINT)", -signal.SIGINT),
        ("import os; os.abort()", -signal.SIGABRT),
    ],
)
def test_its_exit_code_is_the_interpreters(program: str, code: int) -> None:
    assert python(program).wait(60) == code


def test_a_module_and_a_script_run_as_the_main_program(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("import sys\nprint(__name__, sys.argv)\n")
    assert forked.run(script, "a", env={}).stdout == f"__main__ ['{script}', 'a']\n"
    assert "usage" in forked.run("-m", "json.tool", "--help", env={}).stdout


def test_it_is_waited_for_and_ended_as_any_process_is() -> None:
    process = python("import time; time.sleep(60)")
    assert process.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.01)
    process.terminate()
    assert (process.wait(60), process.poll(), process.returncode) == (-signal.SIGTERM,) * 3
    process.kill()


def test_it_dies_with_the_nursery(monkeypatch: pytest.MonkeyPatch) -> None:
    nursery = forked.new_nursery()
    monkeypatch.setattr(forked, "nursery", lambda: nursery)
    reader, writer = os.pipe()
    held = forked.start("-c", "import time; time.sleep(60)", env={}, stdout=writer, stderr=writer)
    os.close(writer)
    nursery.orders.close()
    nursery.process.wait(60)
    with os.fdopen(reader, "rb") as printed:
        printed.read()
    assert held.wait(60) == -signal.SIGINT
