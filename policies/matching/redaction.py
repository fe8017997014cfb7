"""Cutting finds out of a text, whole or as it streams: the same however it is cut. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Protocol

from .finders import Extend, Find, Finder, Finders
from .folding import Folded, Folding, fold, unfolded

Placeholder = Callable[[str], str]
"""What stands in the place of a find of that kind."""


class Stage(Protocol):
    """One text on its way. `found` counts by kind what was cut out of it so far."""

    found: Counter[str]

    def feed(self, text: str, final: bool) -> str:
        """What is certain once `text` has arrived; all that is left, if it is the last."""
        ...


class Redaction:
    """Cuts out what `finders` find in the text as `folding` makes it.

    It holds back only what may have begun. `before` stands in front of the text and is no part of it; what begins there
    is cut out of the text.
    """

    def __init__(self, finders: Finders, placeholder: Placeholder, before: str = "", folding: Folding = fold) -> None:
        self.found: Counter[str] = Counter()
        self._folding = folding
        self._finders = finders
        self._placeholder = placeholder
        self._before = folding(before)
        self._begun = False
        self._held = ""
        self._extend: Extend | None = None

    def feed(self, text: str, final: bool) -> str:
        folded = Folded(self._held + text, self._before, self._folding)
        released, at, cut = self._cut(folded, final)
        self._begun = True
        self._held = folded.original[cut:]
        self._before = folded.last(at)
        return released

    def _cut(self, folded: Folded, final: bool) -> tuple[str, int, int]:
        """What is released, and up to where that is: in the bytes and in the original."""
        data, original = folded.data, folded.original
        at, cut = self._extended(folded)
        until = len(data) if final else max(self._finders.open_from(data), at)
        pieces: list[str] = []
        for find in self._finders.finds(data, at if self._begun else 0, until):
            if find.end <= folded.start:
                continue
            self.found[find.kind] += 1
            pieces += original[cut : folded.begin(max(find.start, at))], self._placeholder(find.kind)
            at, cut = find.end, self._behind(find, folded)
        if at <= until:
            at, begin = until, folded.begin(until)
            pieces.append(original[cut:begin])
            cut = begin
        return "".join(pieces), at, cut

    def _extended(self, folded: Folded) -> tuple[int, int]:
        """Where the find ends that the text before this one ended in."""
        if self._extend is None:
            return folded.start, 0
        at = self._extend(folded.data, folded.start)
        if at < len(folded.data):
            self._extend = None
        return at, folded.begin(at)

    def _behind(self, find: Find, folded: Folded) -> int:
        if find.extend is None:
            return folded.end(find.end)
        # It may go on in the next piece, and with it whatever invisible stands between.
        if find.end == len(folded.data):
            self._extend = find.extend
        return folded.begin(find.end)


class LineRedaction:
    """Cuts out what `finders` find within a line, for finders that do not know their beginnings: it holds a line."""

    def __init__(self, finders: Finders, placeholder: Placeholder) -> None:
        self.found: Counter[str] = Counter()
        self._finders = finders
        self._placeholder = placeholder
        self._held: list[str] = []

    def feed(self, text: str, final: bool) -> str:
        lines = text.split("\n")
        self._held.append(lines[0])
        if len(lines) == 1 and not final:
            return ""
        lines[0] = "".join(self._held)
        self._held = [] if final else [lines.pop()]
        return "\n".join(map(self._line, lines)) + ("" if final else "\n")

    def _line(self, line: str) -> str:
        if not line:
            return line
        redaction = Redaction(self._finders, self._placeholder)
        released = redaction.feed(line, True)
        self.found += redaction.found
        return released


class Redactor:
    """What is cut out of texts: all that `finders` find, be it disguised or not.

    `raw_finders` see the text as it is, before the others; `line_finders` see lines, behind them.
    """

    def __init__(
        self,
        finders: Sequence[Finder],
        placeholder: Placeholder,
        *,
        raw_finders: Sequence[Finder] = (),
        line_finders: Sequence[Finder] = (),
    ) -> None:
        self._finders = Finders(finders)
        self._raw_finders = Finders(raw_finders) if raw_finders else None
        self._line_finders = Finders(line_finders) if line_finders else None
        self._placeholder = placeholder

    def redact(self, text: str, before: str = "") -> tuple[str, Counter[str]]:
        """The text without its finds, and how many there were of each kind."""
        found: Counter[str] = Counter()
        for stage in self.stages(before):
            text = stage.feed(text, True)
            found += stage.found
        return text, found

    def stages(self, before: str = "") -> list[Stage]:
        """For one text that streams: each is fed what the one before it released."""
        stages: list[Stage] = [Redaction(self._finders, self._placeholder, before)]
        if self._raw_finders is not None:
            stages.insert(0, Redaction(self._raw_finders, self._placeholder, folding=unfolded))
        if self._line_finders is not None:
            stages.append(LineRedaction(self._line_finders, self._placeholder))
        return stages
