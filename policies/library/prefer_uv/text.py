"""Rewrites the commands in Markdown as it streams: code spans, and the lines of shell code blocks. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_MAYBE_FENCE = re.compile(r" {0,3}(?:`{0,2}|~{0,2})\Z")
_SHELL = frozenset({"", "bash", "sh", "shell", "zsh", "console", "shell-session", "shellsession", "terminal", "fish"})
MAX_LINE = 4096
MAX_SPAN = 1024
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
        live, at = self._kept + text, 0
        released: list[str] = []
        while at < len(live):
            end = self._unit(live, at, final)
            if end == at:
                break
            released.append(self._changed(live[at:end]))
            at = end
        self._kept = live[at:]
        return "".join(released)

    def _unit(self, live: str, at: int, final: bool) -> int:
        """Where the unit that begins at `at` ends, `at` itself where it is not whole yet."""
        if self._line_begins:
            if self._is_shell or _FENCE.match(live, at):
                newline = live.find("\n", at, at + MAX_LINE) + 1
                whole = final or len(live) - at >= MAX_LINE
                return newline or (min(len(live), at + MAX_LINE) if whole else at)
            if not final and _MAYBE_FENCE.match(live, at):
                return at
        if self._fence:
            return live.find("\n", at) + 1 or len(live)
        tick = live.find("`", at)
        if tick == at:
            return self._span(live, at, final)
        end = len(live) if tick < 0 else tick
        return live.find("\n", at, end) + 1 or end

    def _span(self, live: str, at: int, final: bool) -> int:
        """Behind the code span that begins at `at`; where it does not end on its line, it is none."""
        newline = live.find("\n", at, at + MAX_SPAN) + 1
        end = newline or len(live)
        limit = min(end, at + MAX_SPAN)
        ticks = at
        while ticks < limit and live[ticks] == "`":
            ticks += 1
        closing = re.compile(f"(?<!`)`{{{ticks - at}}}(?!`)").search(live, ticks, limit)
        if closing and (closing.end() < limit or (final and limit == len(live) and not newline)):
            return closing.end()
        return ticks if newline or final or limit == at + MAX_SPAN else at

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
