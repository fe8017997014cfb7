"""Which files a program changes with its arguments. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import NamedTuple

from policies.shell import Program, stripped
from policies.shell.options import operands, subcommand, values
from policies.shell.programs import links

from .coded import written_by_code
from .patches import patched


class Target(NamedTuple):
    """A path that is changed, as the shell would hand it over; `tree`: with all that is in it."""

    path: str
    tree: bool = False


Writer = Callable[[list[str]], Iterator[Target]]


def written(program: Program) -> Iterator[Target]:
    """What `program` may change. What nobody knows may change all it is given."""
    args = list(program.args)
    yield from _outputs(args)
    if program.unknown:
        yield from _all(args)
    for name in program.named(_WRITERS):
        yield from _WRITERS[name](args)
    if program.named(_PATCHERS):
        for text in (program.stdin, *args):
            yield from map(Target, patched(text))


def _outputs(args: list[str]) -> Iterator[Target]:
    """What nearly every program means by `-o`."""
    for before, arg in pairwise(("", *args)):
        if before in ("-o", "-out", "-O") or (before.startswith("--output") and "=" not in before):
            yield Target(arg)
        name, given, value = arg.partition("=")
        if given and (name == "of" or name.startswith("--out")):
            yield Target(value)


def _all(args: list[str]) -> Iterator[Target]:
    tree = bool(re.search("[rR]", "".join(arg for arg in args if re.match("-[a-zA-Z]", arg)))) or "--recursive" in args
    yield from (Target(path, tree) for path in operands(args))


def _trees(args: list[str]) -> Iterator[Target]:
    yield from (Target(path, True) for path in operands(args))


def _copies(args: list[str]) -> Iterator[Target]:
    """Into the last operand, or below it; and with `-t` into that directory."""
    given = operands(args)
    directories = values(args, "t", "--target-directory")
    sources, destinations = (given, directories) if directories else (given[:-1], given[-1:])
    for destination in destinations:
        yield Target(destination, any(source.endswith(("/", "/.", "*")) for source in sources))
        yield from (Target(f"{destination}/{_name(source)}") for source in sources if stripped(_name(source)))


def _moves(args: list[str]) -> Iterator[Target]:
    yield from _copies(args)
    yield from _trees(args)


def _links(args: list[str]) -> Iterator[Target]:
    yield from (Target(link) for link, _ in links(args))


def _name(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]


def _in_place(args: list[str]) -> Iterator[Target]:
    """`sed -i`, `perl -pi`; and the files that a sed or awk program writes itself."""
    if any(re.match(r"-[a-zA-Z0]*i|--in-place", arg) for arg in args):
        yield from _all(args)
    for arg in args:
        for match in re.finditer(r"(?:^|[;{}/\s\d$,])[wW]\s+([^\s;}]+)|/[a-zA-Z0-9]*w\s+([^\s;}]+)", arg):
            yield Target(match[1] or match[2])


def _awk(args: list[str]) -> Iterator[Target]:
    if "inplace" in args:
        yield from _all(args)
    for arg in args:
        yield from map(Target, written_by_code(arg))


def _sorts(args: list[str]) -> Iterator[Target]:
    yield from map(Target, values(args, "o", "--output"))


def _second(args: list[str]) -> Iterator[Target]:
    yield from map(Target, operands(args)[1:])


def _downloads(args: list[str]) -> Iterator[Target]:
    directories = [*values(args, "P", "--output-dir", "--directory-prefix", "--dir"), "."]
    files = values(args, "oOaDc", "--output", "--output-document", "--output-file", "--dump-header", "--cookie-jar")
    files += [*values(args, "", "--trace", "--trace-ascii", "--stderr", "--out"), *map(_name, operands(args))]
    yield from (Target(directory, True) for directory in directories[:-1])
    yield from (Target(file) for file in files)
    yield from (Target(f"{directory}/{file}") for directory in directories for file in files)


def _archives(args: list[str]) -> Iterator[Target]:
    """`tar`: it unpacks into its directory, or writes its file."""
    if args and re.match(r"[a-zA-Z]+\Z", args[0]):
        args = [f"-{args[0]}", *args[1:]]
    flags = "".join(arg for arg in args if re.match(r"-[a-zA-Z]", arg))
    unpacks = "x" in flags or "--extract" in args or "--get" in args
    directories = values(args, "CD", "--directory", "--one-top-level")
    if unpacks:
        yield from (Target(path, True) for path in directories)
        named = operands(args)
        yield from (Target(f"{directory}/{path}") for directory in directories or ["."] for path in named)
    else:
        yield from map(Target, values(args, "fF", "--file"))


def _unzips(args: list[str]) -> Iterator[Target]:
    yield from (Target(path, True) for path in values(args, "do", ""))


def _finds(args: list[str]) -> Iterator[Target]:
    starts = next((args[:at] for at, arg in enumerate(args) if arg.startswith(("-", "(", "!"))), args)
    if "-delete" in args:
        yield from (Target(start, True) for start in starts)
    outputs = ("-fprint", "-fprint0", "-fprintf", "-fls")
    yield from (Target(path) for flag, path in pairwise(args) if flag in outputs)


def _git(args: list[str]) -> Iterator[Target]:
    command, rest, before = subcommand(args, with_value=("-C", "-c", "--git-dir", "--work-tree", "--namespace"))
    inside = "/".join([*values(before, "C"), ""])
    if command == "config" and _sets(rest):
        yield from _git_config(rest, inside)
    elif command in ("mv", "rm", "restore", "checkout"):
        yield from (Target(inside + path, tree=command in ("mv", "rm")) for path in operands(rest))
    elif command in ("clone", "worktree", "init"):
        yield from (Target(inside + path) for path in operands(rest)[1:])


def _sets(args: list[str]) -> bool:
    """Whether `git config` writes: with a name and a value, or with a verb that does."""
    verbs = {"set", "unset", "edit", "rename-section", "remove-section", "--unset", "--unset-all", "--add", "-e"}
    verbs |= {"--edit", "--replace-all", "--rename-section", "--remove-section"}
    if verbs & set(args):
        return True
    given = [arg for arg in operands(args) if arg not in values(args, "f", "--file")]
    reads = any(arg.startswith(("--get", "--list")) or arg == "-l" for arg in args)
    return len(given) > 1 and not reads and given[0] not in ("get", "list")


def _git_config(args: list[str], inside: str) -> Iterator[Target]:
    files = values(args, "f", "--file")
    if "--global" in args:
        files.append("~/.gitconfig")
    if "--system" in args:
        files.append("/etc/gitconfig")
    yield from (Target(path) for path in files or [f"{inside}.git/config"])


def _crontab(args: list[str]) -> Iterator[Target]:
    if "-l" not in args:
        yield Target("/var/spool/cron/crontabs/user")


def _systemctl(args: list[str]) -> Iterator[Target]:
    changes = {"enable", "disable", "edit", "link", "mask", "unmask", "revert", "set-property", "add-wants", "preset"}
    if changes & set(args):
        yield Target("~/.config/systemd/user/unit" if "--user" in args else "/etc/systemd/system/unit")


def _always(path: str) -> Writer:
    return lambda args: iter([Target(path)])


def _with_verb(path: str, *verbs: str) -> Writer:
    return lambda args: iter([Target(path)] if set(verbs) & set(args) else [])


_PATCHERS = frozenset({"patch", "git", "apply_patch", "applypatch", "gpatch"})
_WRITERS: dict[str, Writer] = {
    **dict.fromkeys(("rm", "grm", "unlink", "shred", "srm", "trash", "truncate", "touch", "mkdir", "tee"), _all),
    **dict.fromkeys(
        ("sponge", "mkfifo", "mknod", "chattr", "setfacl", "setfattr", "setcap", "chcon", "restorecon"), _all
    ),
    **dict.fromkeys(("ed", "ex", "vi", "vim", "nvim", "nano", "pico", "emacs", "micro", "kak", "joe"), _all),
    **dict.fromkeys(("chmod", "chown", "chgrp", "gzip", "gunzip", "bzip2", "xz", "unxz", "zstd", "fallocate"), _all),
    **dict.fromkeys(
        ("patch", "gpatch", "zip", "script", "split", "csplit", "mktemp", "mount", "umount", "dos2unix"), _all
    ),
    **dict.fromkeys(("rmdir", "rename", "prename", "mmv"), _trees),
    **dict.fromkeys(("cp", "gcp", "install", "scp", "rsync", "ditto", "sftp"), _copies),
    **dict.fromkeys(("mv", "gmv"), _moves),
    **dict.fromkeys(("ln", "gln"), _links),
    "link": _second,
    **dict.fromkeys(("sed", "gsed", "perl", "ruby", "yq"), _in_place),
    **dict.fromkeys(("awk", "gawk", "mawk", "nawk"), _awk),
    **dict.fromkeys(("sort", "shuf", "gcc", "cc", "clang"), _sorts),
    **dict.fromkeys(("uniq", "xxd", "iconv"), _second),
    **dict.fromkeys(("curl", "wget", "aria2c"), _downloads),
    "ssh-keygen": lambda args: map(Target, values(args, "f")),
    **dict.fromkeys(("tar", "gtar", "bsdtar", "cpio"), _archives),
    **dict.fromkeys(("unzip", "7z", "7za"), _unzips),
    **dict.fromkeys(("find", "gfind"), _finds),
    "git": _git,
    "crontab": _crontab,
    **dict.fromkeys(("at", "batch"), _always("/var/spool/at/job")),
    "systemctl": _systemctl,
    **dict.fromkeys(("useradd", "usermod", "userdel", "adduser", "deluser", "groupadd"), _always("/etc/passwd")),
    **dict.fromkeys(("passwd", "chpasswd", "chsh", "vipw"), _always("/etc/passwd")),
    "visudo": _always("/etc/sudoers"),
    "npm": _with_verb("~/.npmrc", "set", "adduser", "login"),
    **dict.fromkeys(("pip", "pip3"), _with_verb("~/.config/pip/pip.conf", "set", "unset", "edit")),
    "aws": _with_verb("~/.aws/config", "configure"),
    **dict.fromkeys(
        ("kubectl", "oc"),
        _with_verb("~/.kube/config", "set", "unset", "set-context", "set-cluster", "set-credentials", "use-context"),
    ),
}
