"""OpenAI's Responses stream to events.

What only frames an item or repeats what was said makes no event: its bytes wait for the next event and are its frame's.
"""

from __future__ import annotations

from collections.abc import Callable

from gateway.dialects.frames import FrameReader
from gateway.dialects.wire_json import Json, string
from policies.content import Block
from policies.events import Aside, End, Event, Failure, Start, StreamTruncated

from .agreement import require, require_known, require_no_item
from .envelope import output_text
from .errors import read_failure
from .items import read_item
from .open_item import OpenItem, whole_item
from .overlap import Numbered, Overlap, Pieces
from .usage import read_reason, read_usage

_WITH_ITEM = frozenset({"response.output_item.added", "response.output_item.done"})


class Reader(FrameReader):
    """Not `strict`: what makes no sense travels as an Aside.

    Items that overlap are kept until all of them are whole, and then told one after another."""

    def __init__(self, strict: bool = True) -> None:
        super().__init__(strict)
        self._started = False
        self._failed = False
        self._open: dict[int, OpenItem] = {}
        self._overlap: Overlap | None = None
        self._items: dict[int, Json] = {}
        self._calls_tools = False
        self._waiting = Pieces()
        self._handlers: dict[str, Callable[[Json, bytes], list[Event]]] = {
            "response.created": self._begin,
            "response.queued": self._begin,
            "response.in_progress": self._begin,
            "response.output_item.added": self._item_added,
            "response.output_item.done": self._item_done,
            "response.completed": self._finish,
            "response.incomplete": self._finish,
            "response.failed": self._fail,
            "error": self._fail,
        }

    def _end(self) -> list[Event]:
        if not self._over:
            raise StreamTruncated
        return []

    def salvage(self) -> list[Event]:
        """Of a stream that was cut: the complete items that were still kept back."""
        return self._overlap.complete() if self._overlap is not None else []

    def _frame(self, raw: bytes, data: bytes, name: str) -> list[Event]:
        source = self._parse(data)
        type_name = source["type"]
        if self._strict:
            self._require_clear(source, type_name, name)
        if (handler := self._handlers.get(type_name)) is not None:
            return handler(source, raw)
        return self._inside(source, raw)

    def _require_clear(self, source: Json, type_name: str, name: str) -> None:
        """Some clients go by the event's name, read on after the end, or take output from any response they see."""
        require(name in ("", type_name))
        require(not self._over or (self._failed and type_name in ("error", "response.failed")))
        if type_name not in ("response.completed", "response.incomplete") and (response := source.get("response")):
            require(not response.get("output") and not response.get("output_text"))
        require(type_name in _WITH_ITEM or not source.get("item"))

    def _begin(self, source: Json, raw: bytes) -> list[Event]:
        if self._started:
            return self._aside(source, raw)
        response = source["response"]
        self._started = True
        start = Start(string(response, "id", ""), string(response, "model", ""), source=source)
        return self._framed([start], source, raw)

    def _item_added(self, source: Json, raw: bytes) -> list[Event]:
        index = source["output_index"]
        require(self._started and index not in self._open and index not in self._items)
        item = OpenItem(source, self._strict)
        if self._open and self._overlap is None:
            self._overlap = Overlap(next(iter(self._open)))
        self._open[index] = item
        return self._tell(index, item.begin(), source, raw)

    def _inside(self, source: Json, raw: bytes) -> list[Event]:
        item = self._open.get(source.get("output_index", -1))
        if (
            item is not None
            and self._overlap is None
            and not self._waiting
            and (delta := item.grow(source)) is not None
        ):
            number = source.get("sequence_number")
            delta.frame = Numbered(raw, 1, number, number) if type(number) is int else Numbered(raw, 1, None, None)
            return [delta]
        if item is None:
            if self._strict:
                require_no_item(source)
            return self._aside(source, raw)
        if self._strict and self._overlap is not None:
            require(all(other is item or not other.is_named(source) for other in self._open.values()))
        return self._tell(source["output_index"], item.feed(source), source, raw)

    def _item_done(self, source: Json, raw: bytes) -> list[Event]:
        index = source["output_index"]
        require(self._started and index not in self._items)
        item = self._open.get(index)
        require(item is not None or not self._open)
        if item is None and self._strict:
            require_known(source["item"])
        opened = OpenItem(source, self._strict) if item is None else item
        events = whole_item(source) if item is None else item.done(source)
        self._items[index] = source["item"]
        self._calls_tools |= opened.is_for_client
        self._open.pop(index, None)
        if self._overlap is not None:
            self._overlap.close(index)
        return self._tell(index, events, source, raw, opened.blank)

    def _tell(self, index: int, events: list[Event], source: Json, raw: bytes, blank: bool = False) -> list[Event]:
        """The events now, or, where items overlap, those of all of them once the last is whole."""
        if self._overlap is None:
            return self._framed(events, source, raw, blank or (len(self._open) > 0 and self._open[index].blank))
        self._overlap.add(index, events)
        if self._open:
            self._waiting.add(raw, source)
            return []
        told, self._overlap = self._overlap.events(), None
        return self._framed(told, source, raw)

    def _framed(self, events: list[Event], source: Json, raw: bytes, blank: bool = False) -> list[Event]:
        self._waiting.add(raw, source)
        if events:
            self._waiting.become_frame(events, blank)
        return events

    def _finish(self, source: Json, raw: bytes) -> list[Event]:
        require(self._started and not self._open)
        response = source["response"]
        items = [item for _, item in sorted(self._items.items())]
        if self._strict:
            require(_says(response, items))
        self._over = True
        reason = read_reason(response, self._calls_tools)
        end = End(reason, read_usage(response.get("usage")), source={"event": source, "items": items})
        return self._framed([end], source, raw)

    def _fail(self, source: Json, raw: bytes) -> list[Event]:
        if self._over:
            return self._aside(source, raw)
        type_name, message = read_failure(source)
        failure = Failure(type_name, message, source=source)
        self._over = self._failed = True
        if self._open:
            self._waiting.clear()  # it says again what may still be held, of an item that will never be whole
        return self._framed([failure] if self._started else [Start(), failure], source, raw)

    def _aside(self, source: Json, raw: bytes) -> list[Event]:
        if self._waiting and not self._over:
            self._waiting.add(raw, source)
            return []
        number = source.get("sequence_number")
        number = number if isinstance(number, int) else None
        return [Aside(Numbered(raw, 1, number, number), source or None)]


def _says(response: Json, items: list[Json]) -> bool:
    """Whether the whole output, if it is there, says what was streamed."""
    output = response.get("output")
    if response.get("output_text") and response["output_text"] != output_text(items):
        return False
    return not output or output == items or _blocks(output) == _blocks(items)


def _blocks(items: list[Json]) -> list[Block]:
    return [block for item in items for block in read_item({**item, "encrypted_content": None})]
