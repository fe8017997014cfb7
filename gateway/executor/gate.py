"""What finally leaves an answer: notices as text, tool calls together at the end, a stop reason that agrees."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable

from policies.active import ActivePolicy
from policies.content import Text
from policies.events import BlockEnd, BlockStart, End, Event, Failure, Start, block_events, detached

from .items import Changed, Item, Notice


class Gate:
    """Takes what the last stage lets go. `holds_tools`: from the first tool call on, all waits for the answer's end.

    `drop` is told whose change made a signed thinking block go; `text` writes a notice.
    """

    def __init__(
        self,
        holds_tools: bool,
        binds_thinking: bool,
        text: Callable[[Notice], str],
        drop: Callable[[ActivePolicy], None],
    ) -> None:
        self._holds_tools = holds_tools
        self._binds_thinking = binds_thinking
        self._text = text
        self._drop = drop
        self.changed = False
        self._reset()

    def release(self, items: Iterable[Item]) -> list[Event]:
        """The events that the client gets for `items`."""
        out: list[Event] = []
        for item in items:
            if isinstance(item, Changed):
                self.changed = True
                self._by = item.by
            elif isinstance(item, Notice):
                out += self._notice(item)
            elif not self._dropped(item):
                out += self._event(item)
        return out

    def _reset(self) -> None:
        self._by: ActivePolicy | None = None
        self._dropping = False
        self._held: list[Event] | None = None
        self._blocks = 0
        self._tool_calls = 0

    def _notice(self, notice: Notice) -> list[Event]:
        self.changed = True
        self._by = self._by or notice.by
        self._blocks += 1
        return list(block_events(Text(self._text(notice))))

    def _dropped(self, event: Event) -> bool:
        """Thinking behind a change is bound to text that the client never gets."""
        if isinstance(event, BlockStart) and event.kind == "thinking" and self._by and self._binds_thinking:
            self._dropping = True
            self._drop(self._by)
        if not self._dropping:
            return False
        if isinstance(event, BlockEnd | Failure):
            self._dropping = False
        return not isinstance(event, Failure)

    def _event(self, event: Event) -> list[Event]:
        match event:
            case Start():
                self._reset()
            case BlockStart():
                self._blocks += 1
                if event.kind == "tool_call" and not event.executed:
                    self._tool_calls += 1
                    if self._holds_tools and self._held is None:
                        self._held = []
            case End():
                return self._end(event)
            case Failure():
                self._held = None
        if self._held is None:
            return [event]
        self._held.append(event)
        return []

    def _end(self, end: End) -> list[Event]:
        held, self._held = self._held or [], None
        if end.stop_reason == "tool_use" and not self._tool_calls and self._by is not None:
            end = _stopped(end)
        if not self._blocks and self._by is not None:
            held += block_events(Text(f"[Luthien] The policy {self._by.name} removed this answer."))
        return [*held, end]


def _stopped(end: End) -> End:
    return dataclasses.replace(detached(end), stop_reason="end_turn")  # type: ignore[return-value]
