"""How an answer streams, and folding events into content. Pure.

    answer := Start block* (End | Failure)
    block  := BlockStart BlockDelta* BlockEnd

An `Aside` (a ping, an event nobody knows) may stand anywhere. Blocks never interleave: a dialect's reader guarantees
it, so no event carries an index. With several choices, the answers follow one another.

A `Frame` is one piece of the upstream's wire. It may make several events, which share it; a writer of the same dialect
writes the frame's own bytes if all of its events come out unchanged, side by side. An event that anyone made or changed
has no frame. `source` is the parsed JSON of the frame: what a minimal edit starts from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal, assert_never

from .content import NO_USAGE, Block, BlockKind, Opaque, Response, Source, Text, Thinking, ToolCall, Usage


class Frame:
    """Bytes of the upstream's wire, and how many events were made of them. Compared by identity."""

    __slots__ = ("raw", "size")

    def __init__(self, raw: bytes, size: int = 1) -> None:
        self.raw = raw
        self.size = size


@dataclass(slots=True)
class Start:
    id: str = ""
    model: str = ""
    usage: Usage = NO_USAGE
    choice: int = 0
    frame: Frame | None = field(default=None, compare=False, repr=False)
    source: Source = field(default=None, compare=False, repr=False)


@dataclass(slots=True)
class BlockStart:
    """`id`, `name`, `executed` and `custom` belong to tool calls; `type` is an opaque block's name in its dialect."""

    kind: BlockKind
    id: str = ""
    name: str = ""
    executed: bool = False
    custom: bool = False
    type: str = ""
    frame: Frame | None = field(default=None, compare=False, repr=False)
    source: Source = field(default=None, compare=False, repr=False)


@dataclass(slots=True)
class BlockDelta:
    """Text, thinking, or a fragment of a tool call's arguments. A delta without text carries only its source."""

    text: str = ""
    signature: str = ""
    frame: Frame | None = field(default=None, compare=False, repr=False)
    source: Source = field(default=None, compare=False, repr=False)


@dataclass(slots=True)
class BlockEnd:
    frame: Frame | None = field(default=None, compare=False, repr=False)
    source: Source = field(default=None, compare=False, repr=False)


@dataclass(slots=True)
class End:
    stop_reason: str = "end_turn"
    usage: Usage = NO_USAGE
    frame: Frame | None = field(default=None, compare=False, repr=False)
    source: Source = field(default=None, compare=False, repr=False)


@dataclass(slots=True)
class Failure:
    """The upstream reported an error in mid-stream; nothing follows it."""

    type: str
    message: str
    frame: Frame | None = field(default=None, compare=False, repr=False)
    source: Source = field(default=None, compare=False, repr=False)


@dataclass(slots=True)
class Aside:
    """A ping, or an event that Luthien does not model."""

    frame: Frame | None = field(default=None, compare=False, repr=False)
    source: Source = field(default=None, compare=False, repr=False)


Event = Start | BlockStart | BlockDelta | BlockEnd | End | Failure | Aside


class StreamTruncated(Exception):
    """The upstream stopped before its answer was complete."""


class GrammarError(ValueError):
    """An event stands where the grammar does not allow it."""


_State = Literal["new", "answer", "block", "ended"]
_NEXT: dict[tuple[_State, type], _State] = {
    ("new", Start): "answer",
    ("answer", BlockStart): "block",
    ("answer", End): "ended",
    ("answer", Failure): "ended",
    ("block", BlockDelta): "block",
    ("block", BlockEnd): "answer",
    ("block", Failure): "ended",
    ("ended", Start): "answer",
}


class Grammar:
    """The grammar as a state machine: `check` raises GrammarError on an illegal event."""

    __slots__ = ("_state",)

    def __init__(self) -> None:
        self._state: _State = "new"

    @property
    def complete(self) -> bool:
        return self._state == "ended"

    def check(self, event: Event) -> None:
        if isinstance(event, Aside):
            return
        state = _NEXT.get((self._state, type(event)))
        if state is None:
            raise GrammarError(f"{type(event).__name__} may not stand here ({self._state})")
        self._state = state


def build_block(start: BlockStart, deltas: Iterable[BlockDelta]) -> Block:
    """The block that these events spell. Its source is the start's source."""
    deltas = list(deltas)
    text = "".join(delta.text for delta in deltas)
    match start.kind:
        case "text":
            return Text(text, source=start.source)
        case "thinking":
            return Thinking(text, "".join(delta.signature for delta in deltas), source=start.source)
        case "tool_call":
            return ToolCall(start.id, start.name, text, start.executed, start.custom, source=start.source)
        case "opaque":
            return Opaque(start.type, source=start.source)
        case _:
            assert_never(start.kind)


def block_events(block: Block) -> Iterator[Event]:
    """The events that stream `block`; the inverse of `build_block`. They have no frame."""
    match block:
        case Text():
            yield BlockStart("text", source=block.source)
            yield BlockDelta(block.text)
        case Thinking():
            yield BlockStart("thinking", source=block.source)
            yield BlockDelta(block.text, block.signature)
        case ToolCall():
            start = BlockStart("tool_call", block.id, block.name, block.executed, block.custom, source=block.source)
            yield start
            yield BlockDelta(block.arguments_text)
        case Opaque():
            yield BlockStart("opaque", type=block.type, source=block.source)
        case _:
            assert_never(block)
    yield BlockEnd()


class Accumulator:
    """Folds events into the Response they spell. Unfinished blocks are not part of it."""

    def __init__(self) -> None:
        self._start = Start()
        self._end = End(stop_reason="")
        self._blocks: list[Block] = []
        self._open: BlockStart | None = None
        self._deltas: list[BlockDelta] = []

    def add(self, event: Event) -> None:
        match event:
            case BlockDelta():
                self._deltas.append(event)
            case BlockStart():
                self._open, self._deltas = event, []
            case BlockEnd():
                if self._open is None:
                    raise GrammarError("BlockEnd without a block")
                self._blocks.append(build_block(self._open, self._deltas))
                self._open = None
            case Start():
                self._start = event
            case End():
                self._end = event
            case Failure() | Aside():
                pass
            case _:
                assert_never(event)

    @property
    def response(self) -> Response:
        start, end = self._start, self._end
        usage = end.usage if end.usage != NO_USAGE else start.usage
        return Response(start.id, start.model, tuple(self._blocks), end.stop_reason, usage, source=start.source)


def fold(events: Iterable[Event]) -> Response:
    """The Response that `events` (one answer) spell."""
    accumulator = Accumulator()
    for event in events:
        accumulator.add(event)
    return accumulator.response


def response_events(response: Response) -> Iterator[Event]:
    """The events that stream `response`; the inverse of `fold`. They have no frame."""
    yield Start(response.id, response.model, source=response.source)
    for block in response.blocks:
        yield from block_events(block)
    yield End(response.stop_reason, response.usage)
