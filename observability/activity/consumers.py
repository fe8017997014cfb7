"""Live activity over a websocket, for the page: `/ws/activity/`."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import parse_qs

import orjson
import structlog
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings

from observability.api import Refused
from observability.viewers import Sight, sees_calls, sight_of, user_of

from . import history
from .cursors import Cursor
from .filters import Filter
from .viewing import Viewing

log = structlog.get_logger(__name__)

NOT_ALLOWED = 4403
"""The code by which a socket is closed whose user may not see calls, or no longer."""
TRY_AGAIN = 1013
CHECK_EVERY = 30.0
"""Seconds after which it is asked again who the user is and what they may see."""


class ActivityConsumer(AsyncWebsocketConsumer):
    """In the query: a cursor to begin from, and a filter's fields. A page may send `{"filter": {...}}` at any time."""

    async def connect(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []
        await self.accept()
        try:
            self._sight = await self._allowed()
        except Refused:
            await self.close(NOT_ALLOWED)
            return
        query = {name: values[-1] for name, values in parse_qs(self.scope["query_string"].decode("latin-1")).items()}
        self._viewing = Viewing(self._sight, Filter.of(query), Cursor.read(query.get("cursor", "")), recent=True)
        self._tasks = [asyncio.create_task(run()) for run in (self._tell, self._check)]

    async def disconnect(self, code: int) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """What cannot be understood is passed over."""
        try:
            said: Any = orjson.loads(text_data or "")
        except orjson.JSONDecodeError:
            return
        if self._tasks and isinstance(said, dict) and isinstance(said.get("filter"), dict):
            self._viewing.only(Filter.of(said["filter"]))

    async def _tell(self) -> None:
        try:
            async with self._viewing as viewing:
                async for message in viewing.messages():
                    await self.send(message.json().decode())
        except Exception as error:
            log.warning("a viewer of activity had to be sent away", error=type(error).__name__)
            await self.close(TRY_AGAIN)

    async def _check(self) -> None:
        """Who logs out, or may no longer see what they saw, sees nothing more."""
        while True:
            await asyncio.sleep(CHECK_EVERY)
            try:
                allowed = await self._allowed() == self._sight
            except Refused:
                allowed = False
            if not allowed:
                await self.close(NOT_ALLOWED)
                return

    async def _allowed(self) -> Sight:
        return await history.read(_sight, self.scope["cookies"].get(settings.SESSION_COOKIE_NAME))


def _sight(session_key: str | None) -> Sight:
    """What the session's user may see now. Raises Refused."""
    user = user_of(session_key)
    if not sees_calls(user):
        raise Refused(403, "This user may not read call records.")
    return sight_of(user)
