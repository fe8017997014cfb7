"""One policy on the blocks of an answer: items in, items out, in the order they came.

A stage holds back only what its policy wants to see whole. Text and thinking wait for their verdict one by one; tool
calls are judged side by side, each from the moment it is complete, and leave in order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from time import perf_counter

from policies.content import Block, BlockKind, Text, ToolCall
from policies.events import (
    Aside,
    BlockDelta,
    BlockEnd,
    BlockStart,
    End,
    Event,
    Failure,
    Start,
    block_events,
    build_block,
)
from policies.verdicts import Verdict

from .items import Changed, Item, Notice
from .judge import Judge, PolicyFailed
from .link import Lane, Link
from .live_text import LiveText
from .tail import Judged, Stop, Tail, Verdicts
from .usable import Deciding

_INSIDE = (BlockDelta, BlockEnd, Aside)
_CLEARS = (Start, Failure)
HOOKS: dict[BlockKind, Deciding] = {"text": "on_text", "thinking": "on_thinking", "tool_call": "on_tool_call"}


class _Open:
    """The block that is being read. `held`: what waits for the block's end; None where it leaves as it comes."""

    __slots__ = ("begun", "failed", "held", "label", "live", "start")

    def __init__(self, start: BlockStart, label: str) -> None:
        self.start = start
        self.label = label
        self.held: list[Event] | None = None
        self.live: LiveText | None = None
        self.begun = False
        self.failed = False


class Stage(Link):
    """The policy's hooks on blocks, on live text, on fragments of tool calls, and on the finish reason."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._changed = Changed(judge.active)
        self._hooks = {kind: hook for kind, hook in HOOKS.items() if judge.wants(hook)}
        self._edits_text = judge.wants("on_text_delta")
        self._reads_fragments = judge.wants("on_tool_call_delta")
        self._wants_finish = judge.wants("on_finish")
        self.waits = bool(self._hooks)
        self._tail = Tail()
        self._reset()

    def _reset(self) -> None:
        self._tail.clear()
        self._tail.stopped = self.stopped = self.waiting = False
        self._open: _Open | None = None
        self._position = -1
        self._awaited: Verdicts = []
        self._unread: Sequence[Item] = ()

    def feed(self, items: Sequence[Item]) -> list[Item]:
        return self._feed_all(items) if self.waits else self._let_through(items)

    def _let_through(self, items: Sequence[Item]) -> list[Item]:
        """`feed` where nothing is ever waited for, so that nothing is stopped either."""
        left: list[Item] = []
        for item in items:
            if isinstance(item, _CLEARS):
                left += self._tail.leave()
                if isinstance(item, Start):
                    self._reset()
            self._read(item)
        return left + self._tail.leave() if left else self._tail.leave()

    def _feed_all(self, items: Sequence[Item]) -> list[Item]:
        left: list[Item] = []
        for position, item in enumerate(items):
            if isinstance(item, Start):
                self._reset()
            if self.stopped:
                continue
            if isinstance(item, End) and (awaited := self._tail.awaited):
                self._wait_for(awaited)
                self._unread = items[position:]
                break
            self._read(item)
            left += self._leave()
            if self.waiting:
                self._unread = items[position + 1 :]
                break
        return left

    def lane(self) -> Lane | None:
        block = self._open
        if block is None or block.held is not None or block.failed or self.stopped or self._tail.waits:
            return None
        return _pass_by if block.live is None else self._live

    def _live(self, delta: BlockDelta) -> Sequence[Item]:
        block = self._open
        assert block is not None
        assert block.live is not None
        try:
            left = block.live.take(delta)
        except PolicyFailed:
            self._drop(block)
            return self._leave()
        block.begun |= bool(left)
        return left

    async def settle(self) -> list[Item]:
        left: list[Item] = []
        while self.waiting:
            for verdict in self._awaited:
                await verdict
            self.waiting = False
            left += self._leave()
            left += self.feed(self._unread)
        return left

    def close(self) -> None:
        self._tail.clear()

    def _leave(self) -> list[Item]:
        left = self._tail.leave()
        self.stopped = self._tail.stopped
        return left

    def _wait_for(self, verdicts: Verdicts) -> None:
        self.waiting, self._awaited = True, verdicts

    def _read(self, item: Item) -> None:
        if self._open is not None and isinstance(item, _INSIDE):
            self._inside(self._open, item)
        elif isinstance(item, BlockStart):
            self._begin(item)
        else:
            if isinstance(item, Notice):
                self._not_reached(item)
            elif isinstance(item, Failure):
                self._tail.clear()
            elif isinstance(item, End) and self._wants_finish:
                self._judge.finish(item.stop_reason)
            self._tail.add(item)

    def _begin(self, start: BlockStart) -> None:
        self._position += 1
        name = start.id if start.kind == "tool_call" and start.id else self._position
        block = self._open = _Open(start, f"{start.kind} {name}")
        # Where its fragments are watched a tool call has to be dropped whole if that fails, so it leaves whole.
        if start.kind in self._hooks or (start.kind == "tool_call" and self._reads_fragments):
            block.held = []
        if start.kind == "text" and self._edits_text:
            block.live = LiveText(self._judge, start, block.label)
        else:
            self._pass(block, start)

    def _inside(self, block: _Open, event: BlockDelta | BlockEnd | Aside) -> None:
        if not block.failed:
            try:
                self._through_hooks(block, event)
            except PolicyFailed:
                self._drop(block)
        if isinstance(event, BlockEnd):
            self._open = None
            if block.held:
                self._complete(block, block.held)

    def _through_hooks(self, block: _Open, event: BlockDelta | BlockEnd | Aside) -> None:
        """Raises PolicyFailed."""
        if block.live is not None:
            for made in block.live.take(event):
                self._pass(block, made)
            if isinstance(event, BlockEnd) and block.live.changed:
                self._judge.decide("on_text_delta", block.label, "replace", "", perf_counter())
                self._tail.add(self._changed)
            return
        if self._reads_fragments and block.start.kind == "tool_call" and isinstance(event, BlockDelta) and event.text:
            self._judge.tool_call_delta(event.text, block.label)
        self._pass(block, event)

    def _pass(self, block: _Open, event: Event) -> None:
        if block.held is None:
            block.begun = True
            self._tail.add(event)
        else:
            block.held.append(event)

    def _drop(self, block: _Open) -> None:
        """The policy failed in mid-block: what has left of a text is ended, the rest is dropped."""
        if block.begun:
            self._tail.add(BlockEnd())
        block.failed, block.held = True, None
        self._tail.extend([self._changed, self._notice(block, "the policy failed")])

    def _complete(self, block: _Open, held: list[Event]) -> None:
        """What was held of a block goes to its verdict, if there is to be one."""
        hook = self._hooks.get(block.start.kind)
        if hook is None:
            self._tail.extend(held)
            return
        content = build_block(block.start, [event for event in held if isinstance(event, BlockDelta)])
        verdict = self._judge.ask(hook, content, block.label)
        self._tail.wait(verdict, partial(self._judged, block, content, held))
        if block.start.kind != "tool_call":
            self._wait_for([verdict])

    def _judged(self, block: _Open, content: Block, events: list[Event], verdict: Verdict) -> Judged:
        if verdict.action == "allow":
            return [*events]
        if isinstance(verdict.content, tuple) and not block.start.executed:
            return replaced(content, events, verdict.content, self._changed)
        # What the provider ran cannot be taken back, nor its result be kept apart from it: the answer ends before it.
        ends = verdict.action == "stop" or block.start.executed
        notice = self._notice(block, verdict.reason, ends)
        return [self._changed, notice, Stop()] if ends else [self._changed, notice]

    def _notice(self, block: _Open, reason: str, stops: bool = False) -> Notice:
        start = block.start
        tool_call = ToolCall(start.id, start.name) if start.kind == "tool_call" else None
        return Notice(self._judge.active, start.kind, reason, tool_call, block.label, stops)

    def _not_reached(self, notice: Notice) -> None:
        hook = self._hooks.get(notice.kind) if notice.kind else None
        if hook is not None:
            self._judge.decide(hook, notice.label, "not_reached", f"blocked by {notice.by.name}", perf_counter())


def replaced(block: Block, events: Sequence[Event], content: Iterable[Block], changed: Changed) -> Judged:
    """`content` in the place of `block`, whose `events` stay where it is part of the content."""
    made: Judged = []
    unused = True
    for new in content:
        if new == block and unused:
            made += events
            unused = False
        elif new != Text(""):
            made += block_events(new)
    return made if made == [*events] and not unused else [changed, *made]


def _pass_by(delta: BlockDelta) -> Sequence[Item]:
    return (delta,)
