"""A policy's `on_event`: it sees each event, and says what stands in its place."""

from __future__ import annotations

from collections.abc import Sequence

from policies.events import BlockDelta, BlockEnd, BlockStart, End, Event, Failure, Grammar, GrammarError, Start

from .items import Changed, Item, Notice
from .judge import Judge, PolicyFailed
from .link import Link

_LIVE = frozenset({"text", "thinking"})
"""Blocks that may end in the middle. Half a tool call must never look complete, so the others leave whole."""
_CONTENT = (BlockStart, BlockDelta, BlockEnd)


class Watch(Link):
    """Passes on what the policy makes of each event, as long as that is an answer by the grammar.

    A policy that fails, or breaks the grammar, ends the answer: nothing that follows would have been judged.
    """

    waits = False

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._left: list[Item] = []
        self._reset()

    def feed(self, items: Sequence[Item]) -> list[Item]:
        for item in items:
            if isinstance(item, Start):
                self._reset()
            if not self.stopped:
                self._accept(item)
        left, self._left = self._left, []
        return left

    def _reset(self) -> None:
        self.stopped = False
        self._grammar = Grammar()
        self._begun = False
        self._block: BlockStart | None = None
        self._held: list[Item] | None = None
        self._notices: list[Notice] = []

    def _accept(self, item: Item) -> None:
        if isinstance(item, Notice):
            self._notices.append(item)
        elif isinstance(item, Changed):
            self._put(item)
        else:
            self._watch(item)
        if self._notices and self._block is None:  # there may be a block here where none was before
            self._left += self._notices
            self._notices = []

    def _watch(self, event: Event) -> None:
        try:
            made = self._judge.watch(event)
            if isinstance(event, Failure):
                self._left.append(event)  # an upstream's failure is not a policy's to hide
                return
            if len(made) != 1 or made[0] is not event:
                self._check_change(event)
                self._put(Changed(self._judge.active, content=any(isinstance(e, _CONTENT) for e in (event, *made))))
            for each in made:
                self._check(each, event)
                self._pass(each)
            self._check_bounds(event)
        except GrammarError as error:
            self._judge.failed_closed("on_event", "answer", f"broke the stream: {error}")
            self._give_up(event)
        except PolicyFailed:
            self._give_up(event)

    def _check_change(self, event: Event) -> None:
        if self._block is not None and self._block.kind == "thinking" and isinstance(event, BlockDelta | BlockEnd):
            raise GrammarError("thinking may be dropped but not changed")

    def _check(self, made: Event, event: Event) -> None:
        if made is not event:
            if isinstance(made, BlockStart) and made.kind == "thinking":
                raise GrammarError("thinking comes from the model alone")
            if isinstance(made, Failure) or (isinstance(made, Start) and not isinstance(event, Start)):
                raise GrammarError(f"{type(made).__name__} comes from the upstream alone")
        self._grammar.check(made)

    def _check_bounds(self, event: Event) -> None:
        if isinstance(event, Start) and not self._begun:
            raise GrammarError("the answer's start is missing")
        if isinstance(event, End) and not self._grammar.complete:
            raise GrammarError("the answer's end is missing")

    def _pass(self, event: Event) -> None:
        if isinstance(event, Start):
            self._begun = True
        elif isinstance(event, BlockStart):
            self._block, self._held = event, []
        self._put(event)
        if self._held is not None and self._may_show(event):
            self._left += self._held
            self._held = None
        if isinstance(event, BlockEnd):
            self._block = None

    def _may_show(self, event: Event) -> bool:
        """Whether what is held of the open block may leave, now that `event` has come."""
        shows = isinstance(event, BlockDelta) and event.text and self._block and self._block.kind in _LIVE
        return bool(shows) or isinstance(event, BlockEnd)

    def _put(self, item: Item) -> None:
        (self._left if self._held is None else self._held).append(item)

    def _give_up(self, event: Event) -> None:
        """The answer ends here, in good form."""
        self.stopped = True
        if self._grammar.complete:
            return
        if not self._begun:
            self._left.append(event if isinstance(event, Start) else Start())
        if self._block is not None and self._held is None:
            self._left.append(BlockEnd())
        failed = Notice(self._judge.active, None, "the policy failed", stops=True)
        self._left += [Changed(self._judge.active), *self._notices, failed, End()]
