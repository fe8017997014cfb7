"""Rewrites the commands in Markdown as it streams: code spans, and the lines of shell code blocks. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_MAYBE_FENCE = re.compile(r" {0,3}(?:`{0,2}|~{0,2})\Z")
_SHELL = frozenset({"", "bash", "sh", "shell", "zsh", "console", "shell-session", "shellsession", "terminal", "fish"})
MAX_LINE = 4096
"""Characters. What is longer stays as it is, so that nobody waits for its end."""
_PROMPT = re.compile(r"\s*(?:[$%>]\s+)?")


class Markdown:
    """One text. What is released for any cut of it is the same: a unit is changed once it is whole.

    Units are a code span, a fence's line, a line of a shell code block; everything else is released at once.
    """

    def __init__(self, rewrite: Callable[[str], str]) -> None:
        self._rewrite = rewrite
        self._kept = ""
        self._line_begins = True
        self._fence = ""
        self._is_shell = False

    def feed(self, text: str, final: bool) -> str:
        """What is certain once `text` has arrived, all that is left if it is the last."""
        self._kept += text
        released: list[str] = []
        while self._kept:
            size = self._unit(final)
            if not size:
                break
            unit, self._kept = self._kept[:size], self._kept[size:]
            released.append(self._changed(unit))
        return "".join(released)

    def _unit(self, final: bool) -> int:
        """How many characters make the next unit, 0 where it is not whole yet."""
        if self._line_begins:
            if self._is_shell or _FENCE.match(self._kept):
                whole = self._kept.find("\n", 0, MAX_LINE) + 1
                return whole or (min(len(self._kept), MAX_LINE) if final or len(self._kept) >= MAX_LINE else 0)
            if not final and _MAYBE_FENCE.match(self._kept):
                return 0
        newline = self._kept.find("\n") + 1
        return newline or len(self._kept) if self._fence else self._span(newline, final)

    def _span(self, newline: int, final: bool) -> int:
        """Up to the next code span, or the span itself. It ends on its line, or is none."""
        end = newline or len(self._kept)
        tick = self._kept.find("`", 0, end)
        if tick:
            return tick if tick > 0 else end
        ticks = len(self._kept) - len(self._kept.lstrip("`"))
        limit = min(end, MAX_LINE)
        closing = re.compile(f"(?<!`)`{{{ticks}}}(?!`)").search(self._kept, ticks, limit)
        if closing and (closing.end() < limit or (final and not newline and limit == end)):
            return closing.end()
        return ticks if newline or final or end >= MAX_LINE else 0

    def _changed(self, unit: str) -> str:
        begins, self._line_begins = self._line_begins, unit.endswith("\n")
        fence = _FENCE.match(unit) if begins else None
        if self._fence:
            if fence and fence[1].startswith(self._fence) and not unit[fence.end() :].strip():
                self._fence, self._is_shell = "", False
                return unit
            return self._line(unit) if self._is_shell and begins and len(unit) < MAX_LINE else unit
        if fence and not (fence[1][0] == "`" and "`" in unit[fence.end() :]):
            language = unit[fence.end() :].strip().split(" ")[0].strip("{}.").lower()
            self._fence, self._is_shell = fence[1], language in _SHELL
            return unit
        return self._inline(unit) if unit.startswith("`") and not fence else unit

    def _line(self, line: str) -> str:
        prompt = _PROMPT.match(line)
        start = prompt.end() if prompt else 0
        body = line[start:].rstrip("\n")
        return line[:start] + self._rewrite(body) + line[start + len(body) :]

    def _inline(self, span: str) -> str:
        ticks = len(span) - len(span.lstrip("`"))
        inner = span[ticks : len(span) - ticks]
        return span[:ticks] + self._rewrite(inner) + span[len(span) - ticks :] if inner else span
