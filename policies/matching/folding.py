"""Text as a reader takes it: without what cannot be seen, and with one character for all that look like it. Pure.

Each character becomes one or none, whatever stands around it, so that a text may be folded piece by piece.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

from .lookalikes import LOOKALIKES

_INVISIBLE = frozenset({"Cf", "Mn", "Me"})
_ALSO_INVISIBLE = frozenset("\u115f\u1160\u3164\uffa0\u2800")
_SPACES = frozenset({"Zs", "Zl", "Zp"})


class _Table(dict[int, str]):
    """What each character becomes; filled as characters come, up to the end of the basic plane."""

    def __missing__(self, point: int) -> str:
        folded = _fold(chr(point))
        if point < 0x10000:
            self[point] = folded
        return folded


def fold(text: str) -> str:
    """`text` without invisible characters, marks and accents; wide, styled and look-alike characters made plain."""
    return text if text.isascii() else text.translate(_TABLE)


def unfolded(text: str) -> str:
    """`text` as it is."""
    return text


Folding = Callable[[str], str]
"""Each character becomes one or none."""


class Folded:
    """A text as `folding` makes it, behind `before`, which is folded; and where its bytes stand in the original.

    `data` is UTF-8, with a question mark for each lone surrogate. Offsets are in bytes of `data`; `start` is that of
    the text.
    """

    def __init__(self, original: str, before: str = "", folding: Folding = fold) -> None:
        self.original = original
        self.before = before
        self.text = folding(original)
        self.data = (before + self.text).encode("utf-8", "replace")
        self.start = len(before.encode("utf-8", "replace"))
        self._plain = len(self.data) == len(before) + len(self.text)
        self._folding = folding
        self._known = (0, 0)
        self._places: list[int] | None = None

    def begin(self, offset: int) -> int:
        """The place in the original of the character at `offset`; its length, if that is the end."""
        return self._place(self._count(offset))

    def end(self, offset: int) -> int:
        """The place behind the character that ends at `offset`."""
        count = self._count(offset)
        return self._place(count - 1) + 1 if count > 0 else 0

    def last(self, offset: int) -> str:
        """The character that ends at `offset`, folded."""
        count = self._count(offset)
        return self.text[count - 1] if count > 0 else self.before

    def _count(self, offset: int) -> int:
        """How many characters of the folded text stand before `offset`."""
        if self._plain:
            return offset - len(self.before)
        known, count = self._known if self._known[0] <= offset else (0, 0)
        count += len(self.data[known:offset].decode("utf-8"))
        self._known = (offset, count)
        return count - len(self.before)

    def _place(self, count: int) -> int:
        if len(self.text) == len(self.original):
            return count
        if self._places is None:
            self._places = [place for place, char in enumerate(self.original) if self._folding(char)] + [
                len(self.original)
            ]
        return self._places[count]


def _fold(char: str) -> str:
    if char in _ALSO_INVISIBLE or unicodedata.category(char) in _INVISIBLE:
        return ""
    if char in LOOKALIKES:
        return LOOKALIKES[char]
    if unicodedata.category(char) in _SPACES:
        return " "
    digit = unicodedata.decimal(char, None)
    if digit is not None:
        return str(digit)
    seen = [part for part in unicodedata.normalize("NFKD", char) if unicodedata.category(part) not in _INVISIBLE]
    return LOOKALIKES.get(seen[0], seen[0]) if len(seen) == 1 else char


_TABLE = _Table()
