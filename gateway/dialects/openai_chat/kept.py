"""What a reader keeps back: answers whose blocks may still grow, until all of them are known to be complete."""

from __future__ import annotations

from gateway.dialects.frames import share_frame
from gateway.dialects.wire_json import Json
from policies.content import ToolCall, UnparsableArguments
from policies.events import BlockDelta, BlockEnd, BlockStart, End, Event, Start, build_block

from .pieces import Piece
from .usage import read_reason, read_usage


class KeptAnswer:
    """The blocks of one choice in the order in which they began. `told` is the block that is open already."""

    def __init__(self, start: Start | None, told: str = "") -> None:
        self._start = start
        self._blocks: dict[str, list[Event]] = {told: []} if told else {}
        self.reason = ""
        self.finish: Json | None = None

    def add(self, piece: Piece, source: Json) -> None:
        events = self._blocks.get(piece.key)
        if events is None:
            piece.start.source = source
            events = self._blocks[piece.key] = [piece.start]
        if piece.text or piece.start.kind == "opaque":
            events.append(BlockDelta(piece.text, source=source))

    def events(self, blocks: list[list[Event]]) -> list[Event]:
        events: list[Event] = [] if self._start is None else [self._start]
        for block in blocks:
            events += [*block, BlockEnd()]
        return events

    def complete(self) -> list[Event]:
        """The blocks that are whole: without a finish, not the last to begin, nor a call with half its arguments."""
        blocks = list(self._blocks.values())
        return self.events(blocks if self.finish is not None else [*filter(_is_whole, blocks[:-1])])

    def whole(self, end: End) -> list[Event]:
        return [*self.events(list(self._blocks.values())), end]


def _is_whole(block: list[Event]) -> bool:
    start = block[0]
    if not isinstance(start, BlockStart) or start.kind != "tool_call":
        return True
    call = build_block(start, [event for event in block if isinstance(event, BlockDelta)])
    assert isinstance(call, ToolCall)
    try:
        return bool(call.arguments)
    except UnparsableArguments:
        return False


class Kept:
    """The answers, and the bytes they came as."""

    def __init__(self) -> None:
        self.answers: dict[int, KeptAnswer] = {}
        self._raw: list[bytes] = []

    @property
    def finished(self) -> bool:
        return bool(self.answers) and all(answer.finish is not None for answer in self.answers.values())

    def pass_by(self, raw: bytes) -> None:
        self._raw.append(raw)

    def release(self, usage: Json | None, usage_chunk: Json | None) -> list[Event]:
        """All answers in grammar order, sharing one frame. The last End has the usage, which is of all of them."""
        events: list[Event] = []
        last = max(self.answers)
        for index, answer in sorted(self.answers.items()):
            counted = read_usage(usage if index == last else None)
            sources = {
                "finish": answer.finish,
                "reason": answer.reason,
                "usage": usage_chunk,
                "last": index == last,
            }
            events += answer.whole(End(read_reason(answer.reason), counted, source=sources))
        share_frame(events, b"".join(self._raw))
        return events

    def complete(self) -> list[Event]:
        return [event for _, answer in sorted(self.answers.items()) for event in answer.complete()]
