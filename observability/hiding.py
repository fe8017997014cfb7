"""A call for eyes that may not see what people and models said: what happened stays, every word of theirs goes."""

from __future__ import annotations

from typing import Any

from django.db.models import prefetch_related_objects

from .exporters.base import REDACTED, without_words
from .models import CallRecord, Decision
from .rows.statements import PAYLOADS

HIDDEN = "Bodies are hidden from your role."


def hide(record: CallRecord) -> CallRecord:
    """`record` without its words: bodies, headers, error messages, notes, reasons, evidence, and arguments of tools.

    It says so (`bodies_hidden`), its blocks and decisions are read already, and it must not be saved.
    """
    record.bodies_hidden = True
    for name in (*PAYLOADS, "opening_bodies", "closing_bodies"):
        setattr(record, name, None)
    record.request_headers, record.response_headers = [], []
    record.path = record.path.partition("?")[0]
    record.error_message = redacted(record.error_message)
    record.notes = [{**note, "text": redacted(note["text"])} for note in record.notes]
    record.attempts = [{**attempt, "error": redacted(attempt["error"])} for attempt in record.attempts]
    prefetch_related_objects([record], "blocks", "decisions")
    for block in record.blocks.all():
        block.content = block.arguments = None
    for decision in record.decisions.all():
        hide_decision(decision)
    return record


def hide_decision(decision: Decision) -> None:
    """Take its reason and evidence out of this copy, but for what it cost."""
    left = without_words({"reason": decision.reason, "evidence": decision.evidence})
    decision.reason, decision.evidence = left["reason"], left["evidence"]


def redacted(said: Any) -> str:
    """What stands in the place of words: nothing where there were none."""
    return REDACTED if said else ""
