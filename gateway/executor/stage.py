"""One policy on an answer: events in, events out, in the order they came.

A stage holds back only what its policy wants to see whole. Text and thinking wait for their verdict one by one; tool
calls are judged side by side, each from the moment it is complete, and leave in order.
"""

from __future__ import annotations

from time import perf_counter

from policies.content import Block, BlockKind, ToolCall
from policies.events import (
    Aside,
    BlockDelta,
    BlockEnd,
    BlockStart,
    End,
    Event,
    Failure,
    Grammar,
    GrammarError,
    Start,
    build_block,
)

from .answers import folded, replaced, replaced_answer, without_blocks
from .items import Changed, Item, Notice, Stop
from .judge import Deciding, Judge, PolicyFailed
from .live_text import LiveText
from .tail import Judged, Tail

HOOKS: dict[BlockKind, Deciding | None] = {
    "text": "on_text",
    "thinking": "on_thinking",
    "tool_call": "on_tool_call",
    "opaque": None,
}


class RetryAsked(Exception):
    """A policy wants another model to be asked; `model` names it. Nothing of this answer was released by its stage."""

    def __init__(self, by: Judge, model: str) -> None:
        super().__init__(model)
        self.by = by
        self.model = model


class Stage:
    """The events of one answer pass `feed` in order; a Start begins the next answer (another choice)."""

    def __init__(self, judge: Judge) -> None:
        overrides = judge.policy.overrides
        self.judge = judge
        self._changed = Changed(judge.active)
        self._watches = overrides("on_event")
        self._edits_text = overrides("on_text_delta")
        self._reads_fragments = overrides("on_tool_call_delta")
        self._wants = {kind: hook is not None and overrides(hook) for kind, hook in HOOKS.items()}
        self._wants_answer = overrides("on_answer")
        self._wants_finish = overrides("on_finish")
        self._tail = Tail()
        self._reset()

    @property
    def waits(self) -> bool:
        """Whether an event may have to wait here for a verdict."""
        return self._wants_answer or any(self._wants.values())

    @property
    def judges_tool_calls(self) -> bool:
        return self._wants["tool_call"]

    @property
    def stopped(self) -> bool:
        return self._tail.stopped

    async def feed(self, item: Item) -> list[Item]:
        """What leaves the stage once `item` has come in. Raises RetryAsked."""
        if isinstance(item, Start):
            self._reset()
        if self.stopped:
            return []
        if isinstance(item, Notice):
            self._not_reached(item)
            self._tail.add(item)
        elif isinstance(item, Changed):
            self._tail.add(item)
        else:
            await self._read(item)
        left = self._tail.leave()
        return await self._hold_answer(left) if self._wants_answer else left

    def close(self) -> None:
        """Forget what is still being judged."""
        self._tail.clear()

    def _reset(self) -> None:
        self._tail.clear()
        self._tail.stopped = False
        self._grammar = Grammar()
        self._start: BlockStart | None = None
        self._held: list[Event] | None = None
        self._live: LiveText | None = None
        self._position = -1
        self._dropping = False
        self._leaving_open = False
        self._answer: list[Item] = []

    async def _read(self, event: Event) -> None:
        if not self._watches:
            await self._take(event)
            return
        try:
            events, changed = self.judge.watch(event)
            if changed:
                self._tail.add(self._changed)
            for made in events:
                self._grammar.check(made)
                await self._take(made)
        except GrammarError:
            self.judge.decide("on_event", "answer", "failed_closed", "returned events out of order", perf_counter())
            self._give_up()
        except PolicyFailed:
            self._give_up()

    async def _take(self, event: Event) -> None:
        match event:
            case BlockStart():
                self._open(event)
            case BlockDelta() | BlockEnd() | Aside() if self._start is not None:
                await self._inside(self._start, event)
            case End():
                await self._tail.settle()
                if self._wants_finish:
                    self.judge.finish(event.stop_reason)
                self._emit(event)
            case Failure():
                self._tail.clear()
                self._emit(event)
            case _:
                self._emit(event)

    def _open(self, start: BlockStart) -> None:
        self._start = start
        self._position += 1
        self._dropping = False
        self._held = [] if self._wants[start.kind] else None
        self._live = LiveText(self.judge, start) if start.kind == "text" and self._edits_text else None
        if self._live is None:
            self._pass(start)

    async def _inside(self, start: BlockStart, event: BlockDelta | BlockEnd | Aside) -> None:
        if not self._dropping:
            try:
                self._through(start, event)
            except PolicyFailed:
                self._drop(start)
        if isinstance(event, BlockEnd):
            await self._complete(start)

    def _through(self, start: BlockStart, event: BlockDelta | BlockEnd | Aside) -> None:
        if self._live is None:
            if self._reads_fragments and start.kind == "tool_call" and isinstance(event, BlockDelta) and event.text:
                self.judge.tool_call_delta(event.text)
            self._pass(event)
            return
        for made in self._live.take(event):
            self._pass(made)
        if isinstance(event, BlockEnd) and self._live.changed:
            self._tail.add(self._changed)

    def _drop(self, start: BlockStart) -> None:
        """The policy failed in mid-block: what has left of it is ended, the rest is dropped."""
        self._dropping = True
        self._held = None
        self._end_open_block()
        self._tail.extend([self._changed, Notice(self.judge.active, start.kind, "the policy failed")])

    def _give_up(self) -> None:
        """The policy failed on the stream itself: nothing that follows would have been judged."""
        self._start = self._held = self._live = None
        self._end_open_block()
        self._tail.extend([Notice(self.judge.active, None, "the policy failed"), Stop()])

    def _end_open_block(self) -> None:
        if self._leaving_open:
            self._emit(BlockEnd())

    def _pass(self, event: Event) -> None:
        if self._held is None:
            self._emit(event)
        else:
            self._held.append(event)

    def _emit(self, event: Event) -> None:
        if isinstance(event, BlockStart):
            self._leaving_open = True
        elif isinstance(event, BlockEnd):
            self._leaving_open = False
        self._tail.add(event)

    async def _complete(self, start: BlockStart) -> None:
        """The open block is over: what was held of it goes to its verdict."""
        held = self._held
        self._start = self._held = self._live = None
        if not held:
            return
        block = build_block(start, [event for event in held if isinstance(event, BlockDelta)])
        judging = self._judge(block, held, self._label(block))
        if start.kind == "tool_call":
            self._tail.judge_beside(judging)
        else:
            self._tail.extend(await judging)

    def _label(self, block: Block) -> str:
        return f"{block.kind} {(isinstance(block, ToolCall) and block.id) or self._position}"

    async def _judge(self, block: Block, events: list[Event], label: str) -> Judged:
        hook = HOOKS[block.kind]
        assert hook is not None
        verdict = await self.judge.ask(hook, block, label)
        if verdict.action == "allow":
            return [*events]
        was_run = isinstance(block, ToolCall) and block.executed
        if isinstance(verdict.content, tuple) and not was_run:
            return replaced(block, events, verdict.content, self._changed)
        tool_call = block if isinstance(block, ToolCall) else None
        notice = Notice(self.judge.active, block.kind, verdict.reason, tool_call, label)
        # What the provider ran cannot be taken back, nor its result be kept apart from it: the answer ends before it.
        ends = verdict.action == "stop" or was_run
        return [self._changed, notice, Stop()] if ends else [self._changed, notice]

    async def _hold_answer(self, items: list[Item]) -> list[Item]:
        """Keep the whole answer until its end, then ask about it."""
        self._answer += items
        last = items[-1] if items else None
        if isinstance(last, Failure):
            self._answer = []
            return [last]
        if not isinstance(last, End):
            return []
        answer, self._answer = self._answer, []
        verdict = await self.judge.ask("on_answer", folded(answer), "answer")
        if verdict.action == "allow":
            return answer
        if verdict.action == "retry":
            raise RetryAsked(self.judge, verdict.model)
        if isinstance(verdict.content, tuple):
            return replaced_answer(answer, verdict.content, self._changed)
        return without_blocks(answer, [self._changed, Notice(self.judge.active, None, verdict.reason)])

    def _not_reached(self, notice: Notice) -> None:
        hook = HOOKS[notice.kind] if notice.kind else None
        if hook is not None and self._wants[notice.kind or "opaque"]:
            self.judge.decide(hook, notice.label, "not_reached", f"blocked by {notice.by.name}", perf_counter())
