"""Terms and regular expressions of an admin's own. Pure."""

from __future__ import annotations

import re2

from policies.matching.finders import Finder, compiled
from policies.matching.folding import fold
from policies.matching.shapes import Shape, any_case, either, literal, words

LARGEST_PROGRAM = 20_000
"""Instructions that RE2 may make of one expression."""


def term(text: str, whole_words: bool) -> Finder:
    """Finds `text` in capitals or not, with any white space where it has some.

    Letters of other scripts may look like a Latin one as capitals or as small letters only: each way is looked for.
    """
    ways = sorted({fold(way) for way in (text, text.lower(), text.upper(), text.title())})
    shapes = [any_case(words(*map(literal, way.split()))) for way in ways]
    return Finder("term", either(*shapes), _whole if whole_words else None)


def pattern(text: str) -> Finder:
    return Finder("pattern", Shape(text, "", "", 0))


def usable_term(text: str) -> str:
    """Raises ValueError."""
    if not fold(text).split():
        raise ValueError("the term has no character that can be seen")
    return text


def usable_pattern(text: str) -> str:
    """Raises ValueError where RE2 cannot use it, where it takes too much, and where it finds what is empty."""
    try:
        regex = compiled(text)
    except (re2.error, UnicodeEncodeError) as error:
        raise ValueError(f"the regular expression cannot be used: {_words(error)}") from None
    if regex.programsize > LARGEST_PROGRAM:
        raise ValueError("the regular expression is too large: repeat less, or split it")
    if regex.fullmatch(b"") is not None:
        raise ValueError("the regular expression finds the empty text")
    return text


def _whole(data: bytes, start: int, end: int) -> tuple[int, int] | None:
    """Neither before it nor behind it stands a letter, a digit or an underscore."""
    before = data[max(0, start - 4) : start].decode("utf-8", "ignore")[-1:]
    behind = data[end : end + 4].decode("utf-8", "ignore")[:1]
    return None if _is_word(before) or _is_word(behind) else (start, end)


def _is_word(char: str) -> bool:
    return char.isalnum() or char == "_"


def _words(error: Exception) -> str:
    text = error.args[0]
    return text.decode(errors="replace") if isinstance(text, bytes) else str(text)
