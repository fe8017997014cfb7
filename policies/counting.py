"""Counting against limits: what a policy asks for by `Call.count`, and how that is counted. Pure."""

from __future__ import annotations

import calendar
import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Literal, Protocol

_SLOTS = 12
"""Into how many slots the span of a rolling window is cut."""
Slots = Mapping[int, int]
"""How much of a counter was taken in each of its slots."""


class CountersUnavailable(Exception):
    """Nothing can be counted now. Not caught, the policy has failed."""


class Window(Protocol):
    """A stretch of time, in numbered slots. Times are seconds since 1970."""

    @property
    def name(self) -> str: ...

    def slot(self, now: float) -> int:
        """The slot that takes what is taken now."""
        ...

    def oldest(self, now: float) -> int:
        """The first slot that still counts."""
        ...

    def frees(self, slot: int) -> float:
        """When `slot` counts no more."""
        ...


@dataclass(frozen=True, slots=True)
class Rolling:
    """Any stretch of `seconds`. Its oldest twelfth counts whole: so never too much passes, and a little too late."""

    seconds: float

    @property
    def name(self) -> str:
        return f"{self.seconds:g}s"

    def slot(self, now: float) -> int:
        return int(now // self._step)

    def oldest(self, now: float) -> int:
        return self.slot(now) - _SLOTS

    def frees(self, slot: int) -> float:
        return (slot + _SLOTS + 1) * self._step

    @property
    def _step(self) -> float:
        return self.seconds / _SLOTS


@dataclass(frozen=True, slots=True)
class Calendar:
    """The day, the week (from Monday on) or the month that it is, by UTC; it is one slot, named by its beginning."""

    period: Literal["day", "week", "month"]

    @property
    def name(self) -> str:
        return self.period

    def slot(self, now: float) -> int:
        day = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        if self.period == "week":
            day -= timedelta(days=day.weekday())
        elif self.period == "month":
            day = day.replace(day=1)
        return int(day.timestamp())

    def oldest(self, now: float) -> int:
        return self.slot(now)

    def frees(self, slot: int) -> float:
        begins = datetime.fromtimestamp(slot, UTC)
        days = {"day": 1, "week": 7, "month": calendar.monthrange(begins.year, begins.month)[1]}[self.period]
        return (begins + timedelta(days=days)).timestamp()


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` of what goes by `name` in the `window`; `amount` of it is to be taken now.

    `of` says whose counter it is: each has its own. So has each policy, and its shadow another.
    """

    name: str
    most: int
    window: Window
    amount: int = 1
    of: str = ""


@dataclass(frozen=True, slots=True)
class Share:
    """An `amount` for `slot` of the counter `key`, where slots from `oldest` on come to `most` at most.

    The counter may be forgotten after `lasts` seconds.
    """

    key: str
    slot: int
    oldest: int
    amount: int
    most: int
    lasts: int


class Store(Protocol):
    """Where counters are kept. All methods raise CountersUnavailable."""

    async def take(self, shares: Sequence[Share]) -> list[Slots]:
        """Take all shares if each fits, else none. What each counter held before, slots that still count alone."""
        ...

    async def change(self, shares: Sequence[Share]) -> None:
        """Add the amounts, which may be negative, to slots that are still kept; others are over."""
        ...


class Owner(Protocol):
    """Whose counters they are: a Call."""

    policy: str
    mode: Literal["shadow", "enforce"]


class Counters:
    """Counts in a `store`, by a clock that tells seconds since 1970."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock

    async def count(self, owner: Owner, limits: Sequence[Limit]) -> Count:
        """Take what all of `limits` ask for, or nothing. Raises CountersUnavailable."""
        now = self._clock()
        shares = [_share(owner, limit, now) for limit in limits]
        held = await self._store.take(shares)
        for limit, share, slots in zip(limits, shares, held, strict=True):
            if not fits(share, slots):
                return Count(self._store, (), {}, limit, _wait(limit, slots, now))
        used = {each.name: _total(slots) + each.amount for each, slots in zip(limits, held, strict=True)}
        return Count(self._store, tuple(zip(limits, shares, strict=True)), used)


@dataclass(frozen=True, slots=True)
class Count:
    """What was taken: `used` is what each limit's counter came to with it, by the limit's name.

    Else nothing was: `full` is the first limit that had no room. It may have some in `retry_after` seconds; None means
    that it never holds that much.
    """

    _store: Store
    _taken: tuple[tuple[Limit, Share], ...]
    used: Mapping[str, int]
    full: Limit | None = None
    retry_after: float | None = None

    @property
    def amounts(self) -> Mapping[str, int]:
        """What was taken of each limit, by its name."""
        return {limit.name: limit.amount for limit, _ in self._taken}

    async def settle(self, amounts: Mapping[str, int]) -> None:
        """Say, once, what it came to in the end, by the names of limits; it counts when it was taken.

        Raises CountersUnavailable.
        """
        changes = [
            Share(share.key, share.slot, share.oldest, amounts[limit.name] - limit.amount, share.most, share.lasts)
            for limit, share in self._taken
            if amounts.get(limit.name, limit.amount) != limit.amount
        ]
        if changes:
            await self._store.change(changes)


class MemoryStore:
    """Counters of this process alone."""

    most_counters = 100_000
    """There is no room for others than these: clients choose some of the names."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._counters: dict[str, dict[int, int]] = {}
        self._forget: dict[str, float] = {}
        self._sweep_at = 1_000

    async def take(self, shares: Sequence[Share]) -> list[Slots]:
        now = self._clock()
        if len(self._counters) >= self._sweep_at and any(share.key not in self._counters for share in shares):
            self._sweep(now)
        held = [self._held(share, now) for share in shares]
        if all(fits(share, slots) for share, slots in zip(shares, held, strict=True)):
            for share, slots in zip(shares, held, strict=True):
                self._counters[share.key] = {**slots, share.slot: slots.get(share.slot, 0) + share.amount}
                self._forget[share.key] = now + share.lasts
        return held

    async def change(self, shares: Sequence[Share]) -> None:
        for share in shares:
            slots = self._counters.get(share.key, {})
            if share.slot in slots:
                slots[share.slot] += share.amount

    def _held(self, share: Share, now: float) -> Slots:
        if self._forget.get(share.key, 0.0) <= now:
            return {}
        return {slot: amount for slot, amount in self._counters[share.key].items() if slot >= share.oldest}

    def _sweep(self, now: float) -> None:
        """Raises CountersUnavailable."""
        for key in [key for key, until in self._forget.items() if until <= now]:
            del self._counters[key], self._forget[key]
        if len(self._counters) >= self.most_counters:
            raise CountersUnavailable("there are too many counters")
        self._sweep_at = min(max(1_000, 2 * len(self._counters)), self.most_counters)


def fits(share: Share, slots: Slots) -> bool:
    """Whether `share` has room in a counter that holds `slots`."""
    return _total(slots) + share.amount <= share.most


def _share(owner: Owner, limit: Limit, now: float) -> Share:
    # Hashed, because clients choose parts of it, such as a model's name.
    name = "\0".join((owner.mode, owner.policy, limit.window.name, limit.name, limit.of))
    key = hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:32]
    slot = limit.window.slot(now)
    lasts = ceil(limit.window.frees(slot) - now) + 1
    return Share(key, slot, limit.window.oldest(now), limit.amount, limit.most, lasts)


def _total(slots: Slots) -> int:
    return sum(slots.values())


def _wait(limit: Limit, slots: Slots, now: float) -> float | None:
    """Seconds until enough of `slots` counts no more."""
    left = _total(slots)
    for slot in sorted(slots):
        left -= slots[slot]
        if left + limit.amount <= limit.most:
            return max(limit.window.frees(slot) - now, 0.0)
    return None
