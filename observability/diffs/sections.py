"""Which bodies on record the diff page compares: of one call, or of two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from observability import queries
from observability.bodies.reading import Blobs
from observability.bodies.recipes import PayloadDamaged
from observability.hiding import HIDDEN
from observability.models import CallRecord

from .blocks import Side, response_blocks
from .page import Section, body_block, json_block
from .pairs import Block

IDENTICAL = "Original and final are the same."
OTHER_DIALECT = "The provider speaks another dialect, so the bodies differ throughout: compare block by block."
NOT_YET = "What became of it is on record when the call ends."
NONE_YET = "None is on record yet."
NOT_SENT = "It was not sent to a provider."
NOT_THERE = "Nothing that can be read is on record here."
NO_ORIGINAL = "There is no original on record: it was withheld, or no provider was asked."


def of_call(record: CallRecord, as_json: bool) -> list[Section]:
    """Original against final, answer and request."""
    if record.bodies_hidden:
        return [Section(id, title, (), (), HIDDEN) for id, title, _ in _PARTS]
    if record.outcome == "open":
        return _running(record, as_json)
    return [_json(record, *names) for names in _PARTS] if as_json else _blocks(record)


def of_two(record: CallRecord, other: CallRecord, as_json: bool) -> list[Section]:
    """One call against another: what both clients sent, and what they got."""
    note = HIDDEN if record.bodies_hidden or other.bodies_hidden else ""
    return [
        Section(id, title, _side(record, name, as_json), _side(other, name, as_json), note)
        for id, title, name in (
            ("answer", "Answer, as the client got it", "response_final"),
            ("request", "Request, as the client sent it", "request_original"),
        )
    ]


_PARTS = (("answer", "Answer", "response"), ("request", "Request", "request"))


def _blocks(record: CallRecord) -> list[Section]:
    diff = queries.diff(record)
    sides: tuple[Side, Side] = diff["response"], diff["request"]
    return [_section(record, *names, side) for names, side in zip(_PARTS, sides, strict=True)]


def _section(record: CallRecord, id: str, title: str, name: str, side: Side) -> Section:
    original, final = side["original"], side["final"]
    if not side["changed"]:
        # What no policy touched may still be read otherwise in the dialect that it was translated to.
        original = final = original or final
    return Section(id, title, original, final, _note(record, name, bool(original), original == final))


def _json(record: CallRecord, id: str, title: str, name: str) -> Section:
    blobs = queries.readable_blobs(record)
    original, final = (_document(record, f"{name}_{side}", blobs) for side in ("original", "final"))
    if name == "request" and not final:
        final = original
    translated = bool(record.upstream_dialect) and record.upstream_dialect != record.dialect
    note = OTHER_DIALECT if translated else _note(record, name, bool(original), original == final)
    return Section(id, title, original, final, note)


def _note(record: CallRecord, name: str, has_original: bool, is_same: bool) -> str:
    if getattr(record, f"{name}_original") is None and getattr(record, f"{name}_final") is not None:
        return NO_ORIGINAL
    if not has_original:
        return NOT_THERE if is_same else ""
    if name == "request" and record.request_final is None:
        return NOT_SENT
    return IDENTICAL if is_same else ""


def _running(record: CallRecord, as_json: bool) -> list[Section]:
    asked = _side(record, "request_original", as_json)
    given = queries.released_tool_calls(record)
    released = [json_block(given)] if as_json and given else given
    return [
        Section("answer", "Tool calls released so far", released, released, "" if given else NONE_YET, is_alone=True),
        Section("request", "Request, as the client sent it", asked, asked, NOT_YET, is_alone=True),
    ]


def _side(record: CallRecord, name: str, as_json: bool) -> Sequence[Block]:
    return _document(record, name) if as_json else queries.blocks(record, name)


def _document(record: CallRecord, name: str, blobs: Blobs | None = None) -> list[Block]:
    """A body as JSON; the events of a stream as the answer that they make."""
    try:
        raw = queries.payload(record, name, blobs)
    except PayloadDamaged:
        return []
    if raw is None:
        return []
    if name.startswith("response") and raw.lstrip()[:1] not in (b"{", b"["):
        return [json_block(_whole(record, name))]
    return [body_block(raw)]


def _whole(record: CallRecord, name: str) -> list[dict[str, Any]]:
    return [
        {
            "content": response_blocks([answer]),
            "id": answer.id,
            "model": answer.model,
            "stop_reason": answer.stop_reason,
            "usage": {
                "input_tokens": answer.usage.input_tokens,
                "output_tokens": answer.usage.output_tokens,
                "cache_read_tokens": answer.usage.cache_read_tokens,
                "cache_write_tokens": answer.usage.cache_write_tokens,
            },
        }
        for answer in queries.answers(record, name)
    ]
