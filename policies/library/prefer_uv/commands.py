"""Which commands uv takes over, and what they become: words in, words out. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

_EVERYWHERE = frozenset({"-q", "-qq", "--quiet", "-v", "--verbose", "--no-cache-dir", "--disable-pip-version-check"})
_INDEX = frozenset({"-i", "--index-url", "--extra-index-url", "-f", "--find-links", "--no-index", "--trusted-host"})
OPTIONS: dict[str, frozenset[str]] = {
    "install": _EVERYWHERE
    | _INDEX
    | {"-r", "--requirement", "-e", "--editable", "-c", "--constraint", "-U", "--upgrade", "--no-deps", "--pre"}
    | {"--force-reinstall", "--require-hashes", "--no-binary", "--only-binary", "--no-build-isolation", "-t"}
    | {"--target", "--prefix", "--dry-run", "--break-system-packages"},
    "uninstall": _EVERYWHERE | {"-y", "--yes", "-r", "--requirement", "--break-system-packages"},
    "list": _EVERYWHERE | _INDEX | {"--format", "--outdated", "-e", "--editable"},
    "freeze": _EVERYWHERE,
    "show": _EVERYWHERE | {"-f", "--files"},
    "check": _EVERYWHERE,
}
"""What of pip's subcommands and their options uv has, too."""
_VENV_OPTIONS = frozenset({"--system-site-packages", "--clear", "--prompt", "-p", "--python"})
_ELSEWHERE = frozenset({"-t", "--target", "--prefix"})

_PIP = re.compile(r"pip(?:3|(3\.\d+))?\Z")
_PYTHON = re.compile(r"python(?:3|(3\.\d+))?\Z")
_FLAG = re.compile(r"-[EHni]\Z|\w+=")
_WRAPPERS = frozenset({"sudo", "env", "time", "command", "nohup", "exec"})
Words = Sequence[str | None]
"""None stands for a word that only running the command would tell."""


class Change(NamedTuple):
    """The words from `start` to before `end` become `words`."""

    start: int
    end: int
    words: str


def change(words: Words, system: bool) -> Change | None:
    """What becomes of the command, if uv has it. Behind `sudo` and its like, too, where they have no values."""
    start = 0
    while start < len(words) and words[start] in _WRAPPERS:
        start += 1
        while start < len(words) and _FLAG.match(words[start] or ""):
            start += 1
    name, *rest = words[start:] or [None]
    pip, python = _PIP.match(name or ""), _PYTHON.match(name or "")
    if pip:
        return _pip(start, start + 1, rest, pip[1], system)
    if python and rest[:2] == ["-m", "pip"]:
        return _pip(start, start + 3, rest[2:], python[1], system)
    if python and rest[:1] == ["-m"] and rest[1:2] in (["venv"], ["virtualenv"]):
        return _venv(start, start + 3, rest[2:], python[1])
    return _venv(start, start + 1, rest, None) if name == "virtualenv" else None


def _pip(start: int, end: int, rest: Words, version: str | None, system: bool) -> Change | None:
    subcommand = (rest[0] if rest else None) or ""
    given = _options(rest)
    if subcommand not in OPTIONS or not given <= OPTIONS[subcommand]:
        return None
    words = ["uv pip", subcommand]
    if version:
        words.append(f"--python {version}")
    elif system and not _ELSEWHERE & given:
        words.append("--system")
    return Change(start, end + 1, " ".join(words))


def _venv(start: int, end: int, rest: Words, version: str | None) -> Change | None:
    if not rest or not _options(rest) <= _VENV_OPTIONS:
        return None
    return Change(start, end, f"uv venv --python {version}" if version else "uv venv")


def _options(words: Words) -> set[str]:
    return {word.partition("=")[0] for word in words if word is not None and word.startswith("-")}
