"""What comes over the channel layer, from this process and, where there is Redis, from the others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import structlog
from channels.layers import get_channel_layer
from django.conf import settings

from .publisher import PRESENCE, publisher

log = structlog.get_logger(__name__)

TRY_AGAIN = 5.0
"""Seconds after which a channel layer that was away is tried again."""


def told_to_end() -> bool:
    """Whether this task was cancelled: the client of Redis may take that for a lost connection, and try again."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def heard(group: str, tried: asyncio.Event) -> AsyncIterator[dict[str, Any]]:
    """Messages to `group`, for as long as somebody asks; a channel layer that is away is tried again.

    `tried` is set once none is missed any more, or the layer is found to be away.
    """
    layer = get_channel_layer()
    assert layer is not None
    while not told_to_end():
        try:
            channel = await layer.new_channel()
            await layer.group_add(group, channel)
        except Exception as error:
            log.warning("activity of other processes cannot be heard", group=group, error=type(error).__name__)
            tried.set()
            await asyncio.sleep(TRY_AGAIN)
            continue
        tried.set()
        try:
            while not told_to_end():
                yield await layer.receive(channel)
        finally:
            with suppress(Exception):
                await layer.group_discard(group, channel)


async def listen_for_viewers() -> None:
    """For as long as the process lives: learn that somebody watches elsewhere. There is nobody to ask without Redis."""
    if settings.REDIS_URL:
        async for _ in heard(PRESENCE, asyncio.Event()):
            publisher.elsewhere()
