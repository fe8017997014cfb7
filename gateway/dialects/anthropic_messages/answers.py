"""Anthropic's whole answers: one JSON body to events and back."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

from gateway.dialects.frames import is_one_frame, share_frame
from gateway.dialects.unambiguous import unambiguous_object
from gateway.dialects.wire_json import Json, completed, dumps, string
from gateway.errors import UpstreamGarbled
from policies.content import Block, Text
from policies.events import BlockDelta, BlockEnd, BlockStart, End, Event, Start, block_events, build_block

from .blocks import read_block, write_block
from .usage import read_usage, write_usage


def read_answer(body: bytes) -> list[Event]:
    """All events of the answer, sharing one frame. Raises UpstreamGarbled."""
    source = unambiguous_object(body)
    try:
        events = _events(source)
    except (KeyError, TypeError, AttributeError) as error:
        raise UpstreamGarbled("the provider's answer is not a message") from error
    share_frame(events, body)
    return events


def write_answer(events: Sequence[Event]) -> bytes:
    """The upstream's own body if all its events are there, else its minimal edit, else a body of ours."""
    frame = is_one_frame(events)
    if frame is not None:
        return frame.raw
    start = next((event for event in events if isinstance(event, Start)), Start())
    end = next((event for event in events if isinstance(event, End)), End())
    return dumps(_message(start, end, [write_block(block) for block in _blocks(events)]))


def _events(source: Json) -> list[Event]:
    if source.get("type") == "error":
        raise UpstreamGarbled("the provider sent an error in place of an answer")
    usage = read_usage(source.get("usage"))
    events: list[Event] = [Start(string(source, "id", ""), string(source, "model", ""), usage, source=source)]
    for block in source["content"]:
        events += _block_events(block)
    events.append(End(string(source, "stop_reason", ""), usage, source=source))
    return events


def _block_events(source: Json) -> Iterable[Event]:
    for event in block_events(read_block(source)):
        if not isinstance(event, BlockDelta) or event.text or event.signature:
            yield event


def _blocks(events: Sequence[Event]) -> Iterable[Block]:
    start, deltas = BlockStart("text"), list[BlockDelta]()
    for event in events:
        match event:
            case BlockStart():
                start, deltas = event, []
            case BlockDelta():
                deltas.append(event)
            case BlockEnd():
                yield from _whole(start, deltas)


def _whole(start: BlockStart, deltas: list[BlockDelta]) -> Iterable[Block]:
    block = build_block(start, deltas)
    if not isinstance(block, Text):
        yield block
    elif block.text or (start.frame is not None and not block.source["text"]):
        yield _without_citations(block) if start.frame is None else block


def _without_citations(block: Text) -> Text:
    """Text that was replaced is not what the citations stood for; in a stream they would not be there either."""
    source = block.source
    if not isinstance(source, dict) or not source.get("citations"):
        return block
    return dataclasses.replace(block, source={**source, "citations": None})


def _message(start: Start, end: End, content: list[Json]) -> Json:
    source = start.source if isinstance(start.source, dict) and start.source.get("type") == "message" else {}
    made = {"type": "message", "role": "assistant", "content": None, "stop_reason": None, "stop_sequence": None}
    reason, usage = end.stop_reason or None, source.get("usage") or write_usage(end.usage)
    return {
        **completed(source, made),
        "id": start.id,
        "model": start.model,
        "content": content,
        "stop_reason": reason,
        "usage": usage,
    }
