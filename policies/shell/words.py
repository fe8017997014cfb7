"""What the shell makes of written words: escapes, braces, and what of them is not known.

A resolved word is text in which noncharacters of Unicode stand for what the text alone does not say; a script that
contains any of them itself counts as unparsable. Pure.
"""

from __future__ import annotations

import re

UNKNOWN = "\ufdd0"
"""A piece that only running the script would tell."""
FETCHED = "\ufdd1"
"""A piece that was downloaded or decoded."""
FILE = "\ufdd2"
"""Before the contents of what the shell passes as a file: `<(...)`."""
BREAK = "\ufdd3"
"""Where an expansion falls apart into several words."""
MARKERS = UNKNOWN + FETCHED + FILE + BREAK

MAX_BRACE_WORDS = 64

_SPACE = re.compile(r"\s+")
_UNQUOTED = re.compile(r"\\(\n|.)", re.DOTALL)
_DOUBLE_QUOTED = re.compile(r'\\([\n"\\$`])')
_ANSI_C = re.compile(
    r"\\(?:([0-7]{1,3})|0([0-7]{1,3})|x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8})|c(.)|(.))", re.DOTALL
)
_LETTERS = {"a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_CONVERSION = re.compile(r"%[-+ #0]*\d*(?:\.\d+)?([a-zA-Z%])")


def stripped(text: str) -> str:
    """`text` without its markers: what is left where the unknown turns out empty."""
    return text.translate(dict.fromkeys(map(ord, MARKERS)))


def split(text: str) -> list[str]:
    """The words of a resolved text."""
    return [word for word in text.split(BREAK) if word]


def breaking(text: str) -> str:
    """`text` as an unquoted expansion: it falls apart at white space."""
    return _SPACE.sub(BREAK, text)


def unescape(text: str) -> str:
    """An unquoted word without its backslashes."""
    return _UNQUOTED.sub(lambda match: "" if match[1] == "\n" else match[1], text) if "\\" in text else text


def unescape_double_quoted(text: str) -> str:
    return _DOUBLE_QUOTED.sub(lambda match: "" if match[1] == "\n" else match[1], text) if "\\" in text else text


def decode(text: str) -> str:
    r"""Text with the escapes of `$'...'`, `echo -e` and `printf`."""
    return _ANSI_C.sub(_decoded, text) if "\\" in text else text


def _decoded(match: re.Match[str]) -> str:
    octal, zero_octal, byte, short, long, control, letter = match.groups()
    if control is not None:
        return chr(ord(control) & 0x1F)
    if letter is not None:
        return _LETTERS.get(letter, letter)
    code = int(octal or zero_octal, 8) if octal or zero_octal else int(byte or short or long, 16)
    # A NUL ends the string for the shell, and what lies beyond Unicode is nothing.
    return chr(code) if 0 < code < 0x110000 else UNKNOWN


def formatted(template: str, arguments: list[str]) -> str:
    """What `printf` prints: the template anew until the arguments are used up."""
    template = decode(template)
    pieces, rest = [], list(arguments)
    for _ in range(1 + len(arguments)):
        before = len(rest)
        pieces.append(_CONVERSION.sub(lambda match: _converted(match[1], rest), template))
        if not rest or len(rest) == before:
            break
    return "".join(pieces)


def _converted(conversion: str, rest: list[str]) -> str:
    if conversion == "%":
        return "%"
    value = rest.pop(0) if rest else ""
    return decode(value) if conversion == "b" else value


def braces(text: str) -> list[str]:
    """The words of `{a,b}c`: ac, bc."""
    found = _innermost(text)
    if found is None:
        return [text]
    start, end = found
    words: list[str] = []
    for part in text[start + 1 : end].split(","):
        words += braces(text[:start] + part + text[end + 1 :])
        if len(words) > MAX_BRACE_WORDS:
            return [UNKNOWN]
    return words


def _innermost(text: str) -> tuple[int, int] | None:
    """The first pair of braces around a comma and no brace."""
    match = re.search(r"\{([^{}]*,[^{}]*)\}", text)
    return (match.start(), match.end() - 1) if match else None
