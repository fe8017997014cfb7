"""What a program with its arguments would destroy, by category."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from policies.shell import UNKNOWN, Program, stripped

from . import targets

Category = Literal[
    "recursive delete",
    "disk",
    "fork bomb",
    "permissions",
    "running downloaded or decoded text",
    "git history",
    "system",
    "unparsable command",
]
Delete = Literal["any", "outside_project", "off"]


@dataclass(frozen=True, slots=True)
class Settings:
    """Which categories count, and for deletes which targets."""

    delete: Delete
    categories: frozenset[Category]

    def counts(self, category: Category) -> bool:
        return category in self.categories


@dataclass(frozen=True, slots=True)
class Arguments:
    """A program's arguments, sorted into single-letter flags, long options and operands, as GNU programs do."""

    flags: str
    options: tuple[str, ...]
    operands: tuple[str, ...]

    def has(self, flags: str, *options: str) -> bool:
        """Any of the flags or options; long ones may be shortened as far as two letters."""
        short = any(flag in self.flags for flag in flags)
        return short or any(
            option.startswith(given.partition("=")[0]) for given in self.options if len(given) > 3 for option in options
        )


def sort(args: list[str]) -> Arguments:
    cut = args.index("--") if "--" in args else len(args)
    options = tuple(arg for arg in args[:cut] if arg.startswith("--"))
    flags = "".join(arg[1:] for arg in args[:cut] if arg.startswith("-") and not arg.startswith("--"))
    operands = [arg for arg in args[:cut] if not arg.startswith("-") or arg == "-"]
    return Arguments(flags, options, (*operands, *args[cut + 1 :]))


def violation(program: Program, settings: Settings) -> tuple[Category, str] | None:
    """The category that `program` falls into if it counts, and the name that it falls into it by."""
    for name in _names(program):
        category = RULES[name](list(program.args), settings)
        if category and settings.counts(category):
            return category, program.name if name == "mkfs" else name
    return None


def _names(program: Program) -> list[str]:
    # Where nobody knows the program, its arguments decide whether that matters.
    if program.unknown:
        return ["rm"]
    return ["mkfs"] if program.name.startswith("mkfs") else program.named(RULES)


def deletes(paths: list[str], settings: Settings) -> Category | None:
    """A recursive delete, unasked, of all of `paths`."""
    if settings.delete == "outside_project" and not any(map(targets.is_outside, paths)):
        return None
    return "recursive delete"


def _rm(args: list[str], settings: Settings) -> Category | None:
    given = sort(args)
    paths = list(given.operands)
    if any(option.startswith("--no-p") for option in given.options):
        return "recursive delete"
    dangerous = any(map(targets.is_dangerous, paths))
    # An unknown word may be flags; a name that is a pattern may match a file called -rf.
    unknown = UNKNOWN in given.flags or any(not stripped(path) for path in paths)
    if not given.has("rR", "--recursive"):
        return "recursive delete" if unknown and dangerous else None
    if dangerous:
        return "recursive delete"
    return deletes(paths, settings) if given.has("f" + UNKNOWN, "--force") else None


def _find(args: list[str], settings: Settings) -> Category | None:
    starts = []
    for arg in args:
        if arg.startswith(("-", "(", "!")):
            break
        starts.append(arg)
    executed = any(
        flag in ("-exec", "-execdir", "-ok", "-okdir") and program.rpartition("/")[2] in ("rm", "unlink", "shred")
        for flag, program in pairwise(args)
    )
    if "-delete" not in args and not executed:
        return None
    if settings.delete == "outside_project" and not any(targets.is_outside(start) for start in starts or ["."]):
        return None
    return "recursive delete"


def _mv(args: list[str], settings: Settings) -> Category | None:
    return "recursive delete" if "/dev/null" in sort(args).operands[1:] else None


def _dd(args: list[str], settings: Settings) -> Category | None:
    return "disk" if any(arg.startswith("of=") and targets.is_disk(arg[3:]) for arg in args) else None


def _writes_disk(args: list[str], settings: Settings) -> Category | None:
    return "disk" if any(map(targets.is_disk, sort(args).operands)) else None


def _copies_to_disk(args: list[str], settings: Settings) -> Category | None:
    operands = sort(args).operands
    return "disk" if operands and targets.is_disk(operands[-1]) else None


def _partitions(args: list[str], settings: Settings) -> Category | None:
    return None if sort(args).has("lhV", "--list", "--help", "--version") else _writes_disk(args, settings)


def _disk(args: list[str], settings: Settings) -> Category | None:
    return None if sort(args).has("", "--help", "--version") else "disk"


def _chmod(args: list[str], settings: Settings) -> Category | None:
    given = sort(args)
    # A symbolic mode may look like a flag: -w, -rwx.
    if not given.operands:
        return None
    mode, *paths = given.operands
    everything = any(map(targets.is_everything, paths))
    if everything and (given.has("R", "--recursive") or _world_writable(mode)):
        return "permissions"
    return "permissions" if given.has("R", "--recursive") and _world_writable(mode) else None


def _world_writable(mode: str) -> bool:
    if mode.isdecimal():
        return int(mode[-1]) & 2 != 0
    return bool(re.search(r"(?:^|,)(?:[ugoa]*[oa][ugoa]*|)[+=][rxXst]*w", mode))


def _chown(args: list[str], settings: Settings) -> Category | None:
    given = sort(args)
    recursive = given.has("R", "--recursive")
    return "permissions" if recursive and any(map(targets.is_everything, given.operands)) else None


def _git(args: list[str], settings: Settings) -> Category | None:
    command, rest = _subcommand(args, with_value=("-C", "-c", "--git-dir", "--work-tree", "--namespace"))
    given = sort(rest)
    forced = {
        "push": given.has("fd", "--force", "--force-with-lease", "--mirror", "--delete", "--prune")
        or any(operand.startswith(("+", ":")) for operand in given.operands),
        "reset": given.has("", "--hard"),
        "clean": given.has("f", "--force"),
        "branch": given.has("D"),
        "stash": given.operands[:1] in (("clear",), ("drop",)),
        "reflog": given.operands[:1] in (("expire",), ("delete",)),
        "checkout": "." in given.operands or given.has("f", "--force"),
        "restore": "." in given.operands,
        "filter-branch": True,
        "filter-repo": True,
    }
    return "git history" if forced.get(command, False) else None


def _subcommand(args: list[str], with_value: tuple[str, ...] = ()) -> tuple[str, list[str]]:
    rest = list(args)
    while rest and rest[0].startswith("-"):
        rest = rest[2:] if rest[0] in with_value else rest[1:]
    return (rest[0], rest[1:]) if rest else ("", [])


def _system(args: list[str], settings: Settings) -> Category | None:
    return None if sort(args).has("", "--help", "--version") else "system"


def _init(args: list[str], settings: Settings) -> Category | None:
    return "system" if args[:1] in (["0"], ["6"]) else None


def _systemctl(args: list[str], settings: Settings) -> Category | None:
    command, _ = _subcommand(args)
    states = ("poweroff", "reboot", "halt", "kexec", "suspend", "hibernate", "rescue", "emergency", "isolate")
    return "system" if command in states else None


def _kill(args: list[str], settings: Settings) -> Category | None:
    if any(arg in ("-l", "-L", "--list") for arg in args):
        return None
    # The first word may be the signal; everything behind it is a process.
    processes = args[1:] if args and args[0].startswith("-") else args
    return "system" if any(process in ("-1", "1") for process in processes) and "--" not in args[:-1] else _all(args)


def _all(args: list[str]) -> Category | None:
    return "system" if args[-2:] in (["--", "-1"], ["--", "1"]) else None


def _iptables(args: list[str], settings: Settings) -> Category | None:
    return "system" if sort(args).has("FX", "--flush", "--delete-chain") else None


def _nft(args: list[str], settings: Settings) -> Category | None:
    return "system" if "flush" in args else None


def _ufw(args: list[str], settings: Settings) -> Category | None:
    return "system" if {"disable", "reset"} & set(args) else None


def _crontab(args: list[str], settings: Settings) -> Category | None:
    return "system" if sort(args).has("r") else None


Rule = Callable[[list[str], Settings], Category | None]
RULES: dict[str, Rule] = {
    "rm": _rm,
    "grm": _rm,
    "find": _find,
    "mv": _mv,
    "dd": _dd,
    "tee": _writes_disk,
    "cp": _copies_to_disk,
    "cryptsetup": _writes_disk,
    **dict.fromkeys(("mkfs", "mke2fs", "mkswap", "wipefs", "blkdiscard", "shred"), _disk),
    **dict.fromkeys(("fdisk", "sfdisk", "sgdisk", "gdisk", "cfdisk", "parted"), _partitions),
    "chmod": _chmod,
    "chown": _chown,
    "chgrp": _chown,
    "git": _git,
    **dict.fromkeys(("shutdown", "reboot", "halt", "poweroff", "killall5"), _system),
    "init": _init,
    "telinit": _init,
    "systemctl": _systemctl,
    "kill": _kill,
    "iptables": _iptables,
    "ip6tables": _iptables,
    "nft": _nft,
    "ufw": _ufw,
    "crontab": _crontab,
}
