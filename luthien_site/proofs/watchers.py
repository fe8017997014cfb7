"""Viewers of live activity: as the page watches, over a websocket, and as programs do, over server-sent events."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from math import inf
from time import time

import aiohttp

_MISSED = re.compile(rb'"missed":([1-9]\d*)')
_EVENT = re.compile(rb'"id":"([^"]+)","kind":"[a-z_]+","at":(\d+)')
JOIN_SECONDS = 30.0
ADMIN = "admin"


class Told(dict[bytes, bytes]):
    """The id of the event in each piece of what came, empty for none; in `at`, by its id, when it happened (seconds
    since 1970).

    A hundred viewers are sent the same pieces, so each is read once: the viewers must not take the time of the calls,
    which are made and timed in this process.
    """

    def __init__(self) -> None:
        super().__init__()
        self.at: dict[bytes, float] = {}

    def __missing__(self, piece: bytes) -> bytes:
        found = _EVENT.search(piece)
        id = found[1] if found else b""
        if found:
            self.at[id] = int(found[2]) / 1_000_000
        self[piece] = id
        return id


@dataclass
class Watcher:
    """What one viewer saw: ids of events, how late the latest of them came (seconds), and how many it was told that
    there was no room for. Of what happened before `since` (seconds since 1970) nothing is late."""

    told: Told
    since: float = inf
    seen: set[bytes] = field(default_factory=set)
    latest: float = 0.0
    missed: int = 0
    joined: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, pieces: Sequence[bytes]) -> None:
        """Each of `pieces` has one event at most."""
        now = time()
        new = {self.told[piece] for piece in pieces} - self.seen - {b""}
        self.seen |= new
        happened = [at for at in map(self.told.at.__getitem__, new) if at >= self.since]
        if happened:
            self.latest = max(self.latest, now - min(happened))

    def skip(self, told: bytes) -> None:
        """`told` has no events, but may say how many there was no room for."""
        self.missed += sum(map(int, _MISSED.findall(told)))


class Watchers:
    """`async with` it: then `viewers` of them watch the gateway, one half over each transport, until the end."""

    def __init__(self, port: int, viewers: int, key: str, password: str) -> None:
        told = Told()
        self.all = [Watcher(told) for _ in range(viewers)]
        self._url, self._key, self._password = f"http://127.0.0.1:{port}", key, password
        self._stack = AsyncExitStack()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Watchers:
        jar = aiohttp.CookieJar(unsafe=True)
        session = aiohttp.ClientSession(
            cookie_jar=jar, connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout()
        )
        self._session = await self._stack.enter_async_context(session)
        await self._log_in()
        ways = (self._over_websocket, self._over_events)
        self._tasks = [asyncio.create_task(ways[place % 2](each)) for place, each in enumerate(self.all)]
        async with asyncio.timeout(JOIN_SECONDS):
            await asyncio.gather(*(each.joined.wait() for each in self.all))
        for each in self.all:
            each.since = time()
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._stack.aclose()

    async def all_saw(self, ids: set[bytes], seconds: float) -> None:
        """Returns when every viewer has seen all of `ids`, or after that many seconds."""
        for _ in range(round(seconds / 0.05)):
            if all(ids <= each.seen for each in self.all):
                return
            await asyncio.sleep(0.05)

    @property
    def gone(self) -> int:
        """How many were sent away."""
        return sum(task.done() for task in self._tasks)

    async def _log_in(self) -> None:
        login = f"{self._url}/login/"
        async with self._session.get(login) as page:
            token = page.cookies["csrftoken"].value
        form = {"username": ADMIN, "password": self._password, "csrfmiddlewaretoken": token}
        async with self._session.post(login, data=form, headers={"Origin": self._url}, allow_redirects=False) as done:
            if done.status != 302:
                raise RuntimeError(f"the console did not let {ADMIN} in: {done.status}")

    async def _over_websocket(self, watcher: Watcher) -> None:
        address = f"{self._url}/ws/activity/"
        async with self._session.ws_connect(address, origin=self._url, max_msg_size=0, decode_text=False) as socket:
            async for message in socket:
                watcher.joined.set()
                head, _, events = message.data.partition(b'"events":')
                watcher.skip(head)
                watcher.take(events.strip(b"[{}]").split(b"},{"))

    async def _over_events(self, watcher: Watcher) -> None:
        headers = {"x-api-key": self._key}
        async with self._session.get(f"{self._url}/activity/stream", headers=headers) as stream:
            rest = b""
            async for chunk in stream.content.iter_any():
                watcher.joined.set()
                *frames, rest = (rest + chunk).split(b"\n\n")
                watcher.skip(b"".join(frame for frame in frames if frame.startswith(b"event: missed")))
                watcher.take(frames)
