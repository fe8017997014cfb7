"""Installs Luthien's packages into `.venv` from the hashed lock, and carries on with the Python of `.venv`.

Runs under a bare Python with pip: imports the standard library only. Each step prints a line on standard error.
"""

import fcntl
import hashlib
import os
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEV_COMMANDS = frozenset({"bench", "check_code", "prove", "test"})

DISK_FULL = "The disk is full; free some space for {folder} and start again."
NO_PERMISSION = "There is no permission to write in {folder}; give it, or copy Luthien to a folder of your own."
NO_NETWORK = "The package index cannot be reached; check the network or its proxy settings and start again."
BAD_HASH = "A downloaded package does not match its hash in the lock; it was not installed."
NO_TRUST = (
    "The package index shows a certificate that is not trusted here; name your authority's file in SSL_CERT_FILE."
)
NO_PIP = "This Python has no pip; install it (on Debian and Ubuntu: apt-get install python3-pip) and start again."
NO_VENV = "This Python cannot make environments (on Debian and Ubuntu: apt-get install python3-venv)."
REASONS = (
    (r"No space left on device|os error 28\b", DISK_FULL),
    (r"Permission denied|Read-only file system|os error (13|30)\b", NO_PERMISSION),
    (r"No module named pip\b", NO_PIP),
    (r"ensurepip is not available", NO_VENV),
    (r"(?i)hash mismatch|do not match the hashes", BAD_HASH),
    (r"UnknownIssuer|CERTIFICATE_VERIFY_FAILED", NO_TRUST),
    (
        r"(?i)NewConnectionError|NameResolutionError|ConnectTimeout|ProxyError|dns error|error sending request"
        r"|failed to fetch|network is unreachable|connection (refused|reset)|timed out",
        NO_NETWORK,
    ),
)


class InstallError(Exception):
    """The installation cannot go on; the message is one sentence for the person at the terminal."""


@dataclass(frozen=True)
class Place:
    """Where everything lies: the locks in `requirements/`, the packages in `.venv`, our own things beside it."""

    root: Path

    @property
    def venv(self) -> Path:
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        return self.venv / "bin" / "python"

    @property
    def stamp(self) -> Path:
        return self.venv / "luthien-stamp"

    @property
    def cache(self) -> Path:
        return self.root / ".venv-bootstrap"

    def lock(self, name: str) -> Path:
        return self.root / "requirements" / f"{name}.txt"


def ensure(argv: Sequence[str]) -> None:
    """Installs what is missing; returns if this is `.venv`'s Python, else replaces this process by that one."""
    place = Place(ROOT)
    try:
        install(place, wanted=lock_for(argv))
    except InstallError as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(explain(f"{error.strerror} {error}", place))
    if Path(sys.prefix).resolve() != place.venv.resolve():
        os.execv(place.python, [str(place.python), *argv])  # noqa: S606 (no shell is wanted)


def lock_for(argv: Sequence[str]) -> str:
    """The name of the lock that the command in `argv` needs: "dev", a superset, or "base"."""
    return "dev" if len(argv) > 1 and argv[1] in DEV_COMMANDS else "base"


def install(place: Place, wanted: str) -> None:
    """Brings `.venv` to the lock `wanted`; takes milliseconds if it is there. Raises InstallError or OSError."""
    if missing(place, wanted) is None:
        return
    place.cache.mkdir(exist_ok=True)
    with alone(place.cache / "lock"):
        # Whoever held the lock may have installed it.
        name = missing(place, wanted)
        if name is not None:
            synchronise(place, name)
            say("Installed.")


def missing(place: Place, wanted: str) -> str | None:
    """The lock to install so that `wanted` is there, or None. What has the tests' packages keeps them."""
    if not place.python.exists():
        return wanted
    installed = read_stamp(place)
    if installed in (stamp_of(place, "dev"), stamp_of(place, wanted)):
        return None
    return "dev" if installed.startswith("dev ") else wanted


def stamp_of(place: Place, name: str) -> str:
    """What the stamp says once the lock `name` is installed."""
    return f"{name} {hashlib.sha256(place.lock(name).read_bytes()).hexdigest()}"


def read_stamp(place: Place) -> str:
    """What the stamp says; empty if there is none."""
    try:
        return place.stamp.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return ""


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """One process at a time; the others wait, and say so."""
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Waiting for another installation to end ...")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def synchronise(place: Place, name: str) -> None:
    """Makes `.venv` hold exactly the packages of the lock `name`."""
    uv = fetch_uv(place)
    make_venv(place, uv)
    # Until it is whole again nobody may take it for installed; an attempt that dies must not forget what it was for.
    place.stamp.write_text(f"{name} unfinished\n", encoding="ascii")
    lock = place.lock(name)
    say(f"Installing {count_packages(lock.read_text(encoding='utf-8'))} packages into {place.venv} ...")
    if uv:
        # Without --python uv would take whatever environment the shell has active.
        run(place, uv, "pip", "sync", "--quiet", "--require-hashes", "--python", place.python, lock)
    else:
        run(place, place.python, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", lock)
    place.stamp.write_text(stamp_of(place, name) + "\n", encoding="ascii")


def fetch_uv(place: Place) -> Path | None:
    """The installer's program, downloaded by pip the first time; None if there is none for this machine."""
    lock = place.lock("uv")
    folder = place.cache / f"uv-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"
    program = folder / "bin" / "uv"
    if program.exists():
        return program
    say("Fetching the installer ...")
    with tempfile.TemporaryDirectory(dir=place.cache) as draft:
        pip = (base_python(), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps")
        try:
            run(place, *pip, "--only-binary=:all:", "--require-hashes", "--target", draft, "-r", lock)
        except InstallError as error:
            if str(error) in tuple(sentence.format(folder=place.root) for _, sentence in REASONS):
                raise
            say("It is not to be had for this machine; pip does its work, more slowly.")
            return None
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(draft, folder, symlinks=True)
    return program


def make_venv(place: Place, uv: Path | None) -> None:
    """Makes `.venv`, unless there is one whose Python runs."""
    if place.python.exists():
        return
    say(f"Making {place.venv} with Python {sys.version.split()[0]} ...")
    if uv:
        run(place, uv, "venv", "--quiet", "--clear", "--python", base_python(), place.venv)
    else:
        run(place, base_python(), "-m", "venv", "--clear", place.venv)


def base_python() -> str:
    """The Python outside of any environment: only that one is sure to have pip."""
    return getattr(sys, "_base_executable", sys.executable) or sys.executable


def run(place: Place, *command: str | Path) -> None:
    """Runs a step; on failure keeps all of its output in a log and raises InstallError with the reason."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    trusted = ssl.get_default_verify_paths()
    if trusted.cafile or trusted.capath:
        # A company's proxy is trusted where the system trusts it, by pip and by uv alike.
        environment.setdefault("UV_SYSTEM_CERTS", "true")
    done = subprocess.run(
        [str(part) for part in command],
        # A lock's comments name its sources as seen from here.
        cwd=place.root,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if done.returncode:
        log = place.cache / "install.log"
        # The disk may be full, which is then the reason.
        if not re.search(REASONS[0][0], done.stdout):
            log.write_text(done.stdout, encoding="utf-8")
        raise InstallError(explain(done.stdout, place))


def explain(output: str, place: Place) -> str:
    """One sentence that says why a step with this output failed."""
    for pattern, sentence in REASONS:
        if re.search(pattern, output):
            return sentence.format(folder=place.root)
    return f"The installation failed; {place.cache / 'install.log'} has its whole output."


def count_packages(lock: str) -> int:
    """How many packages a lock pins."""
    return len(re.findall(r"^[A-Za-z0-9][\w.\[\],-]*==", lock, re.MULTILINE))


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        install(Place(ROOT), wanted=sys.argv[1] if len(sys.argv) > 1 else "base")
    except InstallError as failure:
        sys.exit(str(failure))
