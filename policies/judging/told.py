"""What is told of a judge's answer: its reason, without what it quotes. Pure.

A judge's reason is the text of a model that has just read what was blocked, and is put on record beside the verdict.
"""

from __future__ import annotations

LONGEST_REASON = 400
QUOTE = 16
"""Characters in a row that also stand in what was judged count as a quotation."""


def unquoted(reason: str, *judged: str) -> str:
    """The beginning of `reason`, with an ellipsis for each quotation of one of the texts `judged`."""
    reason, kept, place = reason.strip()[:LONGEST_REASON], [], 0
    while place < len(reason):
        end = _quoted(reason, place, judged)
        kept.append("[...]" if end else reason[place])
        place = end or place + 1
    return "".join(kept)


def _quoted(reason: str, place: int, judged: tuple[str, ...]) -> int:
    """Where the quotation that begins at `place` ends; 0 if none does."""
    for text in judged:
        end = place + QUOTE
        if end <= len(reason) and reason[place:end] in text:
            while end < len(reason) and reason[place : end + 1] in text:
                end += 1
            return end
    return 0
