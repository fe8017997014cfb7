"""What finally leaves an answer: notices as text, tool calls together at the end, a stop reason that agrees."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable

from gateway.errors import RequestBlocked
from policies.active import ActivePolicy
from policies.content import Text
from policies.events import BlockDelta, BlockEnd, BlockStart, End, Event, Failure, Start, block_events

from .items import Changed, Item, Notice, Why, notice_text, removed_text


class Gate:
    """Stands behind the last link. `holds_tools`: from the first tool call on, all waits for the answer's end.

    `binds_thinking`: thinking is signed over what stands before it, so it goes where that changed; `drop` is told who
    changed it and which block goes. `structured`: a notice would break the shape that the client asked for, so
    RequestBlocked is raised in its place. `call_id` and `why` are for notices.
    """

    def __init__(
        self,
        *,
        holds_tools: bool,
        binds_thinking: bool,
        drop: Callable[[ActivePolicy, str], None],
        structured: bool,
        call_id: str,
        why: Why,
    ) -> None:
        self._holds_tools = holds_tools
        self._binds_thinking = binds_thinking
        self._drop = drop
        self._structured = structured
        self._call_id = call_id
        self._why = why
        self.changed = False
        self._asked_for_tools = False
        self._reset()

    def _reset(self) -> None:
        self._by: ActivePolicy | None = None
        self._stopped = False
        self._dropping = False
        self._held: list[Event] | None = None
        self._held_positions: list[int] = []
        self._position = -1
        self._blocks = 0
        self._tool_calls = 0

    @property
    def lets_deltas_by(self) -> bool:
        """Whether the deltas of the block that is open are released as they come."""
        return self._held is None and not self._dropping

    def announce(self, event: Event) -> None:
        """Tell the gate of an event of the upstream's, before the links see it."""
        if isinstance(event, BlockStart):
            self._asked_for_tools |= _is_for_client(event)
        elif isinstance(event, Start):
            self._asked_for_tools = False

    def release(self, items: Iterable[Item]) -> list[Event]:
        """The events that the client gets for `items`. Raises RequestBlocked."""
        out: list[Event] = []
        for item in items:
            if isinstance(item, BlockDelta) and self._held is None:  # as nearly all of them are
                if not self._dropping:
                    out.append(item)
            elif isinstance(item, Changed):
                self.changed = True
                self._by = item.by if item.content else self._by
            elif isinstance(item, Notice):
                out += self._notice(item)
            elif self._passes(item):
                out += self._event(item)
        return out

    def _notice(self, notice: Notice) -> Iterable[Event]:
        self.changed = True
        self._by = notice.by
        self._stopped |= notice.stops
        self._blocks += 1
        return self._said(notice_text(notice, self._call_id, self._why))

    def _said(self, text: str) -> Iterable[Event]:
        if self._structured:
            raise RequestBlocked(text)
        return block_events(Text(text))

    def _passes(self, event: Event) -> bool:
        """Thinking behind a change is bound to text that the client never gets."""
        if isinstance(event, BlockStart):
            self._position += 1
            self._dropping = event.kind == "thinking" and self._unbinds(self._position)
            return not self._dropping
        if not self._dropping:
            return True
        if isinstance(event, BlockEnd | Failure):
            self._dropping = False
        return isinstance(event, Failure)

    def _unbinds(self, position: int) -> bool:
        if self._by is None or not self._binds_thinking:
            return False
        self._drop(self._by, f"thinking {position}")
        return True

    def _event(self, event: Event) -> Iterable[Event]:
        if isinstance(event, BlockDelta):
            pass
        elif isinstance(event, BlockStart):
            self._count(event)
        elif isinstance(event, Start):
            self._reset()
        elif isinstance(event, End):
            return self._end(event)
        elif isinstance(event, Failure):
            self._held = None
        if self._held is None:
            return (event,)
        if isinstance(event, BlockStart):
            self._held_positions.append(self._position)
        self._held.append(event)
        return ()

    def _count(self, start: BlockStart) -> None:
        self._blocks += 1
        if _is_for_client(start):
            self._tool_calls += 1
            if self._holds_tools and self._held is None:
                self._held = []

    def _end(self, end: End) -> Iterable[Event]:
        held, self._held = self._held or [], None
        if self._by is None:
            return [*held, end]
        if self._blocks == 0:
            held += self._said(removed_text(self._by.name, self._call_id, self._why))
        return [*self._tool_calls_last(held), self._agreeing(end)]

    def _tool_calls_last(self, events: Iterable[Event]) -> list[Event]:
        """After a tool call nothing but tool calls may stand, so what became text goes before them."""
        positions = iter(self._held_positions)
        tool_calls: list[Event] = []
        others: list[Event] = []
        into = others
        for event in events:
            if isinstance(event, BlockStart):
                position = next(positions, -1)
                into = tool_calls if _is_for_client(event) else others
                if event.kind == "thinking" and self._unbinds(position):
                    into = []  # it stood behind a tool call
            into.append(event)
        return others + tool_calls

    def _agreeing(self, end: End) -> End:
        """A client waits for no tool call that was taken away, and runs those that came before a stop."""
        if self._stopped and self._tool_calls:
            return dataclasses.replace(end, stop_reason="tool_use", frame=None)
        if end.stop_reason == "tool_use" and self._asked_for_tools and not self._tool_calls:
            return dataclasses.replace(end, stop_reason="end_turn", frame=None)
        return end


def _is_for_client(start: BlockStart) -> bool:
    return start.kind == "tool_call" and not start.executed
