"""Options and operands of programs that nobody knows in full. Pure."""

from __future__ import annotations


def values(args: list[str], letters: str, *names: str) -> list[str]:
    """The values of these one-letter options, apart, joined or bundled, and of these long ones, also shortened."""
    found: list[str] = []
    for at, arg in enumerate(args):
        after = args[at + 1 : at + 2]
        if arg.startswith("--") and len(arg) > 3:
            name, given, value = arg.partition("=")
            if any(whole.startswith(name) for whole in names):
                found += [value] if given else after
        elif arg.startswith("-"):
            place = next((place for place, letter in enumerate(arg) if place and letter in letters), 0)
            if place:
                found += [arg[place + 1 :]] if arg[place + 1 :] else after
    return found


def operands(args: list[str]) -> list[str]:
    """What is no option, the values of options among it."""
    cut = args.index("--") if "--" in args else len(args)
    return [*(arg for arg in args[:cut] if not arg.startswith("-") or arg == "-"), *args[cut + 1 :]]


def subcommand(args: list[str], with_value: tuple[str, ...] = ()) -> tuple[str, list[str], list[str]]:
    """The verb, what stands behind it, and the options before it."""
    at = 0
    while at < len(args) and args[at].startswith("-"):
        at += 2 if args[at] in with_value else 1
    return (args[at] if at < len(args) else ""), args[at + 1 :], args[:at]
