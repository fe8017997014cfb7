"""A text block under `on_text_delta`: released as it streams, but for what the policy wants to see again."""

from __future__ import annotations

from policies.events import BlockDelta, BlockEnd, BlockStart, Event

from .judge import Judge


class LiveText:
    """One block. It opens with its first released text, so that an emptied one never appears at all."""

    __slots__ = ("_judge", "_kept", "_label", "_read", "_released", "_waiting")

    def __init__(self, judge: Judge, start: BlockStart, label: str) -> None:
        self._judge = judge
        self._label = label
        self._waiting: list[Event] = [start]
        self._kept = ""
        self._read: list[str] = []
        self._released: list[str] = []

    @property
    def changed(self) -> bool:
        """Whether the block, now over, says something else than it did."""
        return self._read != self._released and "".join(self._read) != "".join(self._released)

    def take(self, event: Event) -> list[Event]:
        """What leaves for `event`, any event inside the block or its end. Raises PolicyFailed."""
        if isinstance(event, BlockDelta) and event.text:
            return self._delta(event)
        if isinstance(event, BlockEnd):
            return self._end(event)
        if self._waiting:
            self._waiting.append(event)
            return []
        return [event]

    def _delta(self, event: BlockDelta) -> list[Event]:
        text = self._kept + event.text if self._kept else event.text
        release, keep = self._judge.text_delta(text, False, self._label)
        self._kept = text[len(text) - keep :] if keep else ""
        self._read.append(event.text)
        if not release:
            return []
        self._released.append(release)
        return self._opened([event if release == event.text else BlockDelta(release, source=event.source)])

    def _end(self, end: BlockEnd) -> list[Event]:
        release, _ = self._judge.text_delta(self._kept, True, self._label)
        if release:
            self._released.append(release)
            return self._opened([BlockDelta(release), end])
        emptied = self._waiting and self._read
        return [] if emptied else self._opened([end])

    def _opened(self, events: list[Event]) -> list[Event]:
        if not self._waiting:
            return events
        waiting, self._waiting = self._waiting, []
        return waiting + events
