"""Which calls are under way, as live events and the record tell, and which of them have to be read there. Pure.

A call is over when its record is closed. Its end is told before that, and what nobody heard of it comes to be on record
with the closing at the latest, so only then can whoever met it half-way have all of it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import chain

from .cursors import Cursor
from .events import Event
from .memory import Met

REMEMBERED = 50_000
"""Calls that are over by which it is known that nothing has to be read of them."""
MOST_ENDED = 2_000
"""Calls whose end was told and whose records are waited for; beyond that the oldest of which all was heard go first."""
PATIENCE = 600
"""Looks at the record after which a call is given up whose end was told and whose record does not close."""


class UnderWay:
    """Times are in microseconds since 1970."""

    def __init__(self) -> None:
        self._began: dict[str, int] = {}
        self._ended: dict[str, tuple[int, int]] = {}
        """When, and how many looks there had been when that was heard."""
        self._over = Met(REMEMBERED)
        self._unheard: set[str] = set()
        """Calls of which the beginning, or something since, was not heard."""
        self._asked: set[str] = set()
        self._looks = 0

    @property
    def calls(self) -> dict[str, int]:
        """Those that are not over, and when each began."""
        return dict(self._began)

    @property
    def is_waited_for(self) -> bool:
        """Whether somebody has not heard all of a call whose end was told, and whose record is not closed."""
        return any(self._is_wanted(call) for call in self._ended)

    def hear(self, event: Event) -> bool:
        """A live event. Whether it is the end of a call of which somebody has not heard all."""
        call, at = event["call"], event["at"]
        if call in self._over or event.get("late"):
            return False
        if event["kind"] == "request_received":
            # Who was there from the beginning need not be looked after.
            self._began[call] = at
            self._unheard.discard(call)
        else:
            self.meet(call, at)
        return event["kind"] == "finished" and self._end(call, at)

    def meet(self, call: str, began: int) -> None:
        """A call that is there, of which nothing need have been heard; it began then, or before."""
        if call not in self._over:
            if call not in self._began:
                self._unheard.add(call)
            self._began[call] = min(began, self._began.get(call, began))

    def ask(self, calls: Mapping[str, int]) -> None:
        """Somebody has met these half-way, with when each began: they are to be read when they are over."""
        for call, began in calls.items():
            self.meet(call, began)
        self._asked |= calls.keys() & self._began.keys()

    def doubt(self) -> None:
        """Something was missed: what seemed to be over or heard is looked at again."""
        self._over.forget()
        self._unheard.update(self._began)

    def forgo(self, call: str) -> None:
        """It is over, and nothing has to be read of it."""
        self._over.add(call)
        self._ended.pop(call, None)
        self._began.pop(call, None)
        self._unheard.discard(call)
        self._asked.discard(call)

    def to_read(self, closed: Collection[str]) -> list[str]:
        """What to read where `closed` are those whose records are closed: all of which something was not heard."""
        missed = (call for call in closed if call in self._asked or call not in self._ended)
        return list(dict.fromkeys([*self._unheard, *missed]))

    def looked(self, closed: Collection[str]) -> None:
        """All of `to_read` was read: `closed` are over."""
        self._looks += 1
        given_up = [call for call, (_, looks) in self._ended.items() if self._looks - looks > PATIENCE]
        for call in (*closed, *given_up):
            self.forgo(call)

    def cursor(self, until: int) -> Cursor:
        """Where somebody stands who has been told all that happened before `until`, but for what has yet to be read."""
        wanted = (call for call in chain(self._unheard, self._asked) if call in self._ended)
        told = min([until, *(self._ended[call][0] for call in wanted)])
        return Cursor(told, min([told, *self._began.values()]))

    def _is_wanted(self, call: str) -> bool:
        return call in self._unheard or call in self._asked

    def _end(self, call: str, at: int) -> bool:
        self._ended[call] = (at, self._looks)
        if len(self._ended) > MOST_ENDED:
            heard = (each for each in self._ended if not self._is_wanted(each))
            self.forgo(next(heard, next(iter(self._ended))))
        return self._is_wanted(call)
