"""Typographic dashes, quotes and spaces as they stand on a keyboard."""

from __future__ import annotations

import re

from pydantic import Field

from policies.base import Call, Policy
from policies.content import Text
from policies.examples import Example

_EN_DASHES = "\u2010\u2011\u2012\u2013\u2212"
_SPACES = "\u00a0\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f"
_QUOTES = {"\u2018": "'", "\u2019": "'", "\u201a": "'", "\u201b": "'"} | dict.fromkeys("\u201c\u201d\u201e\u201f", '"')
_GAP = f" \t{_SPACES}"
_EM_DASH = re.compile(rf"[\u2014\u2015\u2e3a\u2e3b][{_GAP}\u2014\u2015\u2e3a\u2e3b]*")
_NO_SPACE_BEFORE = frozenset("\u201d\u2019\"'.,;:!?)]}")
_PARTS_OF_LINES = re.compile(r"[^\n]*\n|[^\n]+")
_FENCE = re.compile(r"[ \t>]{0,32}(`{3,}|~{3,})")
_MAYBE_FENCE = re.compile(r"[ \t>]{0,32}(?:`{0,2}|~{0,2})")
_LONGEST_FENCE = 200
"""Characters of a line that are looked at to tell whether a fence begins or ends code there."""


class PlainDashes(Policy):
    """Writes answers with the dashes, quotes, dots and spaces that stand on a keyboard, as most people type them.

    An em dash becomes a hyphen between two spaces, however it was spaced. Fenced blocks of code are left as they are,
    unless you wish otherwise, and so are answers of a given shape (JSON). Nothing is held back for it.
    """

    category = "plain"
    examples = (
        Example(
            "A sentence as one would type it",
            Text("It\u2019s done\u2014\u201creally\u201d\u2026"),
            "replace",
            'It\'s done - "really"...',
        ),
        Example("Code stays as it is", Text("```\nprint('\u2014')\n```"), "allow"),
    )

    class Config(Policy.Config):
        em_dashes: bool = Field(True, description="Em dashes become a hyphen between spaces.")
        en_dashes: bool = Field(True, description="En dashes, minus signs and special hyphens become a hyphen.")
        quotes: bool = Field(True, description="Curly quotes and apostrophes become straight ones.")
        ellipses: bool = Field(True, description="An ellipsis becomes three dots.")
        spaces: bool = Field(True, description="No-break, thin and other special spaces become a plain space.")
        code: bool = Field(False, description="Also within fenced blocks of code.")

    config: Config

    def __init__(self, config: Config | None = None) -> None:
        super().__init__(config)
        self._plain = str.maketrans(_table(self.config))

    def on_text_delta(self, text: str, call: Call, final: bool) -> tuple[str, int]:
        if call.request.structured:
            return text, 0  # a straight quote would end a string of its JSON
        typist = call.state.get("typist") or _Typist(self._plain, self.config)
        call.state["typist"] = None if final else typist
        return typist.type(text), 0


class _Typist:
    """Types one text anew as it arrives: what it makes of a character depends on what came before it alone."""

    def __init__(self, plain: dict[int, str], config: PlainDashes.Config) -> None:
        self._plain = plain
        self._em_dashes = config.em_dashes
        self._fences = None if config.code else _Fences()
        self._behind_dash = False
        self._last = "\n"

    def type(self, text: str) -> str:
        return "".join(map(self._piece, _PARTS_OF_LINES.findall(text)))

    def _piece(self, piece: str) -> str:
        """A part of one line, or the end of it."""
        covered = self._fences is not None and self._fences.cover(piece)
        if covered or (piece.isascii() and not self._behind_dash):
            typed = piece
        else:
            typed = (self._spaced(piece) if self._em_dashes else piece).translate(self._plain)
        self._last = typed[-1:] or self._last
        return typed

    def _spaced(self, piece: str) -> str:
        """`piece` with a hyphen for each em dash. The space behind one is written once it is known what follows."""
        if self._behind_dash:
            piece = "\u2014" + piece
        head, *parts = _EM_DASH.split(piece)
        typed = [head]
        for number, part in enumerate(parts):
            before = typed[-1][-1:] or self._last
            if not (self._behind_dash and number == 0):
                typed.append("-" if before.isspace() else " -")
            typed.append(part if not part or part[0] in _NO_SPACE_BEFORE or part[0].isspace() else f" {part}")
        self._behind_dash = bool(parts) and not parts[-1]
        return "".join(typed)


class _Fences:
    """Which lines of a Markdown text are code, told as the parts of the lines arrive."""

    def __init__(self) -> None:
        self._open = ""
        self._line: str | None = ""  # None once it is known to be no fence

    def cover(self, piece: str) -> bool:
        """Whether `piece`, the next part of the line, is code or belongs to a fence."""
        fence = self._fence(piece)
        covered = bool(self._open or fence)
        if piece.endswith("\n"):
            if fence:
                self._turn(fence[1], (self._line or "")[fence.end() :])
            self._line = ""
        return covered

    def _fence(self, piece: str) -> re.Match[str] | None:
        if self._line is None:
            return None
        self._line = (self._line + piece)[:_LONGEST_FENCE]
        fence = _FENCE.match(self._line)
        if fence is None and not _MAYBE_FENCE.fullmatch(self._line):
            self._line = None
        return fence

    def _turn(self, fence: str, rest: str) -> None:
        if not self._open:
            self._open = "" if fence[0] == "`" in rest else fence
        elif fence.startswith(self._open) and not rest.strip():
            self._open = ""


def _table(config: PlainDashes.Config) -> dict[str, str]:
    table: dict[str, str] = {}
    if config.en_dashes:
        table |= dict.fromkeys(_EN_DASHES, "-")
    if config.quotes:
        table |= _QUOTES
    if config.ellipses:
        table["\u2026"] = "..."
    if config.spaces:
        table |= dict.fromkeys(_SPACES, " ")
    return table
