"""A text block under `on_text_delta`: released as it streams, but for what the policy wants to see again."""

from __future__ import annotations

from policies.events import BlockDelta, BlockEnd, BlockStart, Event

from .judge import Judge


class LiveText:
    """One block. A block opens with its first released text, so that an emptied one never appears at all."""

    def __init__(self, judge: Judge, start: BlockStart) -> None:
        self._judge = judge
        self._waiting: list[Event] = [start]
        self._kept = ""
        self._read: list[str] = []
        self._released: list[str] = []

    @property
    def opened(self) -> bool:
        return not self._waiting

    @property
    def changed(self) -> bool:
        """Whether the block, now over, says something else than it did."""
        return "".join(self._read) != "".join(self._released)

    def take(self, event: Event) -> list[Event]:
        """What leaves for `event`, any event inside the block or its end. Raises PolicyFailed."""
        if isinstance(event, BlockEnd):
            return self._end(event)
        if not isinstance(event, BlockDelta) or not event.text:
            return self._open([event]) if self.opened else self._wait(event)
        return self._delta(event)

    def _delta(self, event: BlockDelta) -> list[Event]:
        text = self._kept + event.text
        release, keep = self._judge.text_delta(text, final=False)
        untouched = not self._kept and not keep and release == event.text
        self._kept = text[len(text) - keep :]
        self._read.append(event.text)
        if not release:
            return []
        self._released.append(release)
        return self._open([event if untouched else BlockDelta(release, source=event.source)])

    def _end(self, end: BlockEnd) -> list[Event]:
        release, _ = self._judge.text_delta(self._kept, final=True)
        if release:
            self._released.append(release)
            return self._open([BlockDelta(release), end])
        if self.opened or not self._read:
            return self._open([end])
        return []

    def _open(self, events: list[Event]) -> list[Event]:
        waiting, self._waiting = self._waiting, []
        return waiting + events

    def _wait(self, event: Event) -> list[Event]:
        self._waiting.append(event)
        return []
