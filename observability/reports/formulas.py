"""Text that spreadsheets would take for a formula, made harmless. Pure.

A client chooses its session's name, a model the names of its tools; a cell that begins with `=` is run by whoever opens
the file. An apostrophe in front makes it text, in every spreadsheet, and also where an XLSX is saved as CSV.
"""

from __future__ import annotations

import re

_FORMULA = re.compile(
    # What stands before a formula and is not seen: space of any kind, control and invisible characters.
    "[\\s\0-\x20\x7f-\xa0\xad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff]*"
    # The four that begin one, also as wide as Asian keyboards type them, and other signs that pass for a minus.
    "[=+\\-@\uff1d\uff0b\uff0d\uff20\u2212\ufe62\ufe63\ufe66\ufe6b]"
)
_FIRST = ("\t", "\r", "\n", "\0")


def defused(text: str) -> str:
    """`text`, with an apostrophe before it if a spreadsheet might run it."""
    return "'" + text if text.startswith(_FIRST) or _FORMULA.match(text) else text
