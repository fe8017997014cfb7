"""Programs that matter because of what they pass on: commands, scripts, or text from elsewhere. Pure."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from itertools import pairwise

from .effects import is_pattern
from .words import FETCHED, FILE, UNKNOWN, decode, formatted, stripped

SHELLS = frozenset({"sh", "bash", "zsh", "dash", "ksh", "ash", "fish", "mksh", "rbash", "csh", "tcsh"})
INTERPRETERS = frozenset({"python", "perl", "ruby", "node", "nodejs", "php", "deno", "bun", "lua", "osascript"})
DOWNLOADERS = frozenset({"curl", "wget", "fetch", "aria2c", "http", "https", "lynx", "ftp", "nc", "ncat", "scp"})
DECODERS = frozenset(
    {"base64", "base32", "basenc", "openssl", "xxd", "uudecode", "gunzip", "zcat", "gzip", "bzcat", "bunzip2", "xzcat"}
    | {"unxz", "zstdcat", "unzstd", "rev", "tr", "gpg"}
)

OPERANDS = {
    **dict.fromkeys(("sudo", "doas", "env", "nohup", "nice", "ionice", "time", "stdbuf", "setsid", "command"), 0),
    **dict.fromkeys(("builtin", "exec", "xargs", "parallel", "strace", "ltrace", "busybox", "toybox", "coproc"), 0),
    **dict.fromkeys(("unbuffer", "caffeinate", "systemd-run", "fakeroot", "proot", "unshare", "nsenter", "entr"), 0),
    **dict.fromkeys(("watch", "script", "su", "runuser", "run0", "pkexec"), 0),
    **dict.fromkeys(("timeout", "gtimeout", "chroot", "taskset", "chrt", "flock", "ssh"), 1),
    **dict.fromkeys(("docker", "podman", "nerdctl", "kubectl", "oc"), 0),
}
"""Programs that run the command in their arguments, and how many operands stand before it at least."""

ANYWHERE = frozenset({"docker", "podman", "nerdctl", "kubectl", "oc"})
"""Those whose own words before the command are too many to know: it may begin at any."""
JOINED = frozenset({"watch", "ssh", "parallel"})
"""Those that hand their arguments to a shell as one script."""

SCRIPT_OPTIONS = re.compile(r"-[a-zA-Z]*[cS]\Z|--(?:command|split-string)\Z")
"""How such a program is given a whole script in one argument: `su -c`, `flock -c`, `env -S`."""

_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_INTERPRETER_NAME = re.compile(r"([a-z]+)[\d.]*\Z")
_KNOWN = SHELLS | INTERPRETERS | frozenset(OPERANDS) | {"eval", "source"}


def name(word: str) -> str:
    """What a command's first word calls, without its directory; UNKNOWN if only running the script would tell."""
    found = stripped(word).rpartition("/")[2].lower().removesuffix(".exe")
    return UNKNOWN if not found and (UNKNOWN in word or FETCHED in word) else found


def readings(program: str) -> list[str]:
    """The programs known here that a name may be."""
    if is_pattern(program):
        return [known for known in sorted(_KNOWN) if fnmatchcase(known, program)]
    return [program]


def interpreter(name: str) -> bool:
    """python3.11 is python."""
    match = _INTERPRETER_NAME.match(name)
    return match is not None and match[1] in INTERPRETERS


def inner_commands(name: str, args: list[str]) -> list[list[str]]:
    """The commands that a wrapper may run. After an option nobody can tell its value from the command: both count."""
    if name in ANYWHERE:
        return [args[index:] for index in range(len(args))]
    found: list[list[str]] = []
    operands = OPERANDS[name]
    after_option = False
    for index, arg in enumerate(args):
        if arg.startswith("-") or _ASSIGNMENT.match(arg):
            after_option = arg.startswith("-") and arg != "--"
            continue
        if operands and not after_option:
            operands -= 1
            continue
        found.append(args[index:])
        if not after_option:
            break
        after_option = False
    return found


def started_in(name: str, args: list[str]) -> list[str]:
    """The directory that a wrapper changes to first."""
    options = {"env": ("-C", "--chdir"), "sudo": ("-D", "--chdir")}.get(name, ())
    apart = [value for option, value in pairwise(args) if option in options]
    return apart + [arg.partition("=")[2] for arg in args if options and arg.startswith("--chdir=")]


def inner_scripts(args: list[str]) -> list[str]:
    """Arguments of a wrapper that are whole scripts."""
    return [value for option, value in pairwise(args) if SCRIPT_OPTIONS.match(option)]


def executed_by_find(args: list[str]) -> list[list[str]]:
    """The commands behind `-exec` and its like, up to their end."""
    commands: list[list[str]] = []
    current: list[str] | None = None
    for arg in args:
        if arg in ("-exec", "-execdir", "-ok", "-okdir"):
            current = []
            commands.append(current)
        elif arg in (";", "+"):
            current = None
        elif current is not None:
            current.append(arg)
    return commands


def links(args: list[str]) -> list[tuple[str, str]]:
    """(link, target) of what `ln` makes."""
    operands = [arg for arg in args if not arg.startswith("-")]
    directories = [value for option, value in pairwise(args) if option in ("-t", "--target-directory")]
    directories += [arg.partition("=")[2] for arg in args if arg.startswith("--target-directory=")]
    targets = [arg for arg in operands if arg not in directories]
    if not directories:
        targets, directories = (targets[:-1], targets[-1:]) if len(targets) > 1 else (targets, ["."])
    return [
        (link, target)
        for target in targets
        for directory in directories
        for link in (directory, f"{directory}/{target.rstrip('/').rpartition('/')[2]}")
        if link != "."
    ]


def saved_files(name: str, args: list[str]) -> set[str]:
    """The files that a downloader writes."""
    if name not in DOWNLOADERS:
        return set()
    after = pairwise(args)
    named = {value for option, value in after if re.match(r"-[a-zA-Z]*[oO]\Z|--output(?:-document)?\Z", option)}
    joined = {arg.partition("=")[2] for arg in args if arg.startswith("--output")}
    by_address = {arg.partition("?")[0].rpartition("/")[2] for arg in args if "/" in arg and not arg.startswith("-")}
    return (named | joined | by_address) - {"", "-"}


def output(name: str, args: list[str], stdin: str) -> str:
    """What the program prints, as far as that can be told."""
    if name == "echo":
        return _echoed(args)
    if name == "printf":
        return formatted(args[0], args[1:]) if args else ""
    if name in ("which", "type") or (name == "command" and args[:1] == ["-v"]):
        return args[-1] if args else ""
    if name == "cat":
        return "".join(_file_text(arg, stdin) for arg in args if not arg.startswith("-")) if args else stdin
    if name == "tee":
        return stdin
    if name in DOWNLOADERS or name in DECODERS or FETCHED in stdin:
        return FETCHED
    return UNKNOWN


def _echoed(args: list[str]) -> str:
    flags = 0
    while flags < len(args) and re.fullmatch(r"-[neE]+", args[flags]):
        flags += 1
    text = " ".join(args[flags:]) + "\n"
    return decode(text) if any("e" in flag for flag in args[:flags]) else text


def _file_text(path: str, stdin: str) -> str:
    if path.startswith(FILE):
        return path[1:]
    return stdin if path == "/dev/stdin" else UNKNOWN
