"""What of an answer passes the gateway and not its record, for those who watch: only asked while somebody does."""

from __future__ import annotations

from collections.abc import Sequence
from weakref import WeakKeyDictionary

from observability.recording.recorder import CallRecorder
from policies.events import BlockDelta, BlockEnd, BlockStart, Event

from .events import answer_sent, original_block
from .publisher import publisher


class _Blocks:
    """Where one call's answer stands: how many blocks it had, and the open one with the size of what it had."""

    __slots__ = ("count", "open", "size")

    def __init__(self) -> None:
        self.count = 0
        self.size = 0
        self.open: BlockStart | None = None


__all__ = ["publisher", "tell_blocks", "tell_head"]

_calls: WeakKeyDictionary[CallRecorder, _Blocks] = WeakKeyDictionary()


def tell_head(call: CallRecorder, status: int) -> None:
    """The head of the answer is about to leave for the client."""
    publisher.publish(answer_sent, call, call.now_ms(), status)


def tell_blocks(call: CallRecorder, events: Sequence[Event]) -> None:
    """Tell of the blocks of `call` that `events`, as the upstream sent them, complete."""
    blocks = _calls.get(call)
    if blocks is None:
        blocks = _calls[call] = _Blocks()
    for event in events:
        if isinstance(event, BlockDelta):
            blocks.size += len(event.text)
        elif isinstance(event, BlockStart):
            blocks.open, blocks.size = event, 0
        elif isinstance(event, BlockEnd) and blocks.open is not None:
            tool = blocks.open.name if blocks.open.kind == "tool_call" else ""
            told = (call.now_ms(), blocks.count, blocks.open.kind, tool, blocks.size)
            publisher.publish(original_block, call, *told)
            blocks.count, blocks.open = blocks.count + 1, None
