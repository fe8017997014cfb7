"""A shadow policy: it gets the stream at its place in the chain, in tasks of its own, and changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any

from policies.base import HOOKS
from policies.content import Request
from policies.events import Event

from .background import spawn
from .items import Changed, Item, Notice
from .judge import Judge
from .link import Link
from .whole_answer import RetryAsked

LONGEST_LAG = 20_000
"""Events that a shadow policy may be behind; one that is slower than that loses the rest of the answer."""


class Shadow:
    """One shadow policy within one call. What it is asked, it is asked in order; nobody waits for it."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._last: asyncio.Task[None] | None = None

    def check(self, request: Request) -> None:
        self._ask_next(self._check(request))

    def beside(self, links: Sequence[Link]) -> Link:
        """A link that lets everything pass and feeds it to `links`."""
        link = _Beside(self._judge)
        self._ask_next(_follow(link.queue, links))
        return link

    def end(self, outcome: str) -> None:
        self._ask_next(self._end(outcome))

    async def settled(self) -> None:
        """Returns once it has been asked all that it was to be asked."""
        if self._last is not None:
            await asyncio.wait((self._last,))

    async def _end(self, outcome: str) -> None:
        await self._judge.end(outcome)

    async def _check(self, request: Request) -> None:
        await self._judge.ask("on_request", request, "request")

    def _ask_next(self, work: Coroutine[Any, Any, None]) -> None:
        self._last = spawn(_after(self._last, work))


class _Beside(Link):
    waits = False

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._behind = False
        self.queue: asyncio.Queue[list[Event] | None] = asyncio.Queue()

    def feed(self, items: Sequence[Item]) -> list[Item]:
        events = [item for item in items if not isinstance(item, Notice | Changed)]
        if self.queue.qsize() >= LONGEST_LAG and not self._behind:
            self._behind = True
            hook = next(hook for hook in HOOKS if self._judge.wants(hook))
            self._judge.failed_closed(hook, "answer", "fell too far behind")
            self.queue.put_nowait(None)
        if events and not self._behind:
            self.queue.put_nowait(events)
        return [*items]

    def close(self) -> None:
        self.queue.put_nowait(None)


async def _follow(queue: asyncio.Queue[list[Event] | None], links: Sequence[Link]) -> None:
    try:
        while (events := await queue.get()) is not None:
            try:
                await _pass(events, links)
            except RetryAsked:
                continue
    finally:
        for link in links:
            link.close()


async def _pass(items: Iterable[Item], links: Sequence[Link]) -> None:
    items = [*items]
    for link in links:
        items = link.feed(items)
        if link.waiting:
            items += await link.settle()


async def _after(previous: asyncio.Task[None] | None, work: Coroutine[Any, Any, None]) -> None:
    if previous is not None:
        await asyncio.wait((previous,))
    await work
