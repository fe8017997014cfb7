"""Commands in characters that look like others or like nothing: what passes runs nothing in a real shell."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from policies.library.block_dangerous_commands import BlockDangerousCommands
from policies.testing import judge, tool_call

DISGUISES = {
    "a zero-width space in the name": "r\u200bm -rf /",
    "a joiner in the name": "r\u200dm -rf /",
    "a mark in front": "\u202erm -rf /",
    "a byte order mark in front": "\ufeffrm -rf /",
    "full-width letters": "\uff52\uff4d -rf /",
    "a Cyrillic letter": "\u0433m -rf /",
    "no-break spaces": "rm\u00a0-rf\u00a0/",
    "wide spaces": "rm\u3000-rf\u3000/",
    "a line separator": "true\u2028rm -rf /",
    "a next line": "true\u0085rm -rf /",
    "a zero-width space in an option": "rm -\u200brf /",
    "a zero-width space in the path": "rm -rf /\u200b",
    "a hyphen that is none": "rm \u2010rf /",
    "a full-width semicolon": "true\uff1b rm -rf /",
    "a soft hyphen": "r\u00adm -rf /",
    "a variation selector": "rm\ufe0f -rf /",
    "tag characters": "rm\U000e0020 -rf /",
    "a vertical tab": "rm\u000b-rf /",
    "a form feed": "true\u000crm -rf /",
}
RUN = "deleted"
BASH = shutil.which("bash") or "/bin/bash"


def runs(command: str) -> bool:
    """Whether bash, where `rm` is a harmless function, deletes recursively by `command`."""
    function = f'rm() {{ case "$1" in -*r*) echo {RUN};; esac; }}\n'
    done = subprocess.run(
        [BASH, "--norc", "-c", function + command], capture_output=True, env={"PATH": "/nowhere", "LC_ALL": "C.UTF-8"}
    )
    return RUN.encode() in done.stdout


def test_an_undisguised_command_runs() -> None:
    assert runs("rm -rf /") and runs("true; rm -r x")


@pytest.mark.parametrize("command", DISGUISES.values(), ids=DISGUISES)
async def test_what_passes_in_disguise_runs_nothing(command: str) -> None:
    verdict = await judge(BlockDangerousCommands(), tool_call("bash", command=command))
    assert verdict.action == "block" or not runs(command)
