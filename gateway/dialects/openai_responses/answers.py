"""OpenAI's whole responses: one JSON body to events and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gateway.dialects.frames import is_one_frame, share_frame
from gateway.dialects.unambiguous import unambiguous_object
from gateway.dialects.wire_json import Json, dumps, string
from gateway.errors import UpstreamGarbled
from policies.content import ToolCall
from policies.events import BlockDelta, BlockEnd, BlockStart, End, Event, Start, block_events

from .agreement import require_known
from .composer import Composer
from .envelope import output_text
from .items import TEXTS, read_item
from .making import Namespaces, source_part
from .usage import read_reason, read_usage


def read_answer(body: bytes) -> list[Event]:
    """All events of the response, sharing one frame. Raises UpstreamGarbled."""
    source = unambiguous_object(body)
    try:
        events = _events(source)
    except (KeyError, TypeError, AttributeError) as error:
        raise UpstreamGarbled("the provider's answer is not a response") from error
    share_frame(events, body)
    return events


def write_answer(events: Sequence[Event], namespaces: Namespaces | None = None) -> bytes:
    """The upstream's own body if all its events are there, else its minimal edit, else a body of ours."""
    frame = is_one_frame(events)
    if frame is not None:
        return frame.raw
    composer = Composer(namespaces or {})
    for event in _without_emptied(events):
        composer.closing(event)
        composer.compose(event)
    return dumps(composer.response)


def _events(source: Json) -> list[Event]:
    if source.get("status") not in (None, "completed", "incomplete") or source.get("error"):
        raise UpstreamGarbled("the provider's answer is an error, or not an answer yet")
    if source.get("output_text") and source["output_text"] != output_text(source["output"]):
        raise UpstreamGarbled("the provider's answer says two different texts")
    events: list[Event] = [Start(string(source, "id", ""), string(source, "model", ""), source=source)]
    calls_tools = False
    for index, item in enumerate(source["output"]):
        require_known(item)
        for block in read_item(item):
            calls_tools |= isinstance(block, ToolCall) and not block.executed
            events += [event for event in block_events(block) if not _is_empty(event)]
        events[-1].source = {"type": "response.output_item.done", "output_index": index, "item": item}
    reason, usage = read_reason(source, calls_tools), read_usage(source.get("usage"))
    return [*events, End(reason, usage, source={"event": source, "items": source["output"]})]


def _is_empty(event: Event) -> bool:
    return isinstance(event, BlockDelta) and not event.text and not event.signature


def _without_emptied(events: Sequence[Event]) -> Iterable[Event]:
    """A text that a policy emptied was never there; one that came empty stays."""
    start: BlockStart | None = None
    for event in events:
        if isinstance(event, BlockStart) and event.kind == "text":
            start = event
        elif start is None:
            yield event
        elif isinstance(event, BlockEnd):
            if _came_empty(start):
                yield from (start, event)
            start = None
        elif not _is_empty(event):
            yield from (start, event)
            start = None


def _came_empty(start: BlockStart) -> bool:
    part = source_part(start.source)
    return start.frame is not None and not part.get(TEXTS.get(part["type"], ""))
