"""Reads along with what is released: which blocks are complete now, and whether the answer is. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from policies.content import Block
from policies.events import BlockDelta, BlockEnd, BlockStart, End, Event, Failure, build_block


class Ledger:
    """Fed with all events that are released. `over` says that nothing but asides can follow.

    With several choices all of them have begun before the end of the first one is released.
    """

    def __init__(self) -> None:
        self.over = False
        self.is_in_tool_call = False
        """Whether the block that is being released is a tool call."""
        self._begun = 0
        self._ended = 0
        self._start: BlockStart | None = None
        self._deltas: list[BlockDelta] = []

    def begin(self) -> None:
        """The upstream has begun an answer, or another one."""
        self._begun += 1

    def free(self, events: Sequence[Event]) -> int:
        """How many of `events`, from the first on, need not be on record before they are released.

        Not every dialect says where a tool call ends, so one that may be complete among them counts from its start.
        """
        is_call = self.is_in_tool_call
        for place, event in enumerate(events):
            begins = isinstance(event, BlockStart) and event.kind == "tool_call"
            if begins or isinstance(event, End | Failure) or (is_call and isinstance(event, BlockEnd)):
                return place
        return len(events)

    def release(self, events: Sequence[Event]) -> list[Block]:
        """The blocks that `events` complete. Of others than tool calls only the kind is told, not the text."""
        completed: list[Block] = []
        for event in events:
            if isinstance(event, BlockDelta):
                if self.is_in_tool_call:
                    self._deltas.append(event)
            elif isinstance(event, BlockStart):
                self._start, self._deltas = event, []
                self.is_in_tool_call = event.kind == "tool_call"
            elif isinstance(event, BlockEnd) and self._start is not None:
                completed.append(build_block(self._start, self._deltas))
                self._start, self._deltas = None, []
                self.is_in_tool_call = False
            elif isinstance(event, End):
                self._ended += 1
                self.over = self._ended >= self._begun
            elif isinstance(event, Failure):
                self.over = True
        return completed
