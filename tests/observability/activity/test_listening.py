"""Listening to the channel layer, which may be away, or take its time."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from observability.activity import listening as module


async def test_who_was_told_to_end_while_it_subscribed_hears_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    subscribing = asyncio.Event()

    class Layer:
        left: tuple[str, ...] = ()

        async def new_channel(self) -> str:
            return "mine"

        async def group_add(self, *_: str) -> None:
            subscribing.set()
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()

        async def receive(self, channel: str) -> dict[str, Any]:
            raise AssertionError(f"{channel} is listened to")

        async def group_discard(self, *names: str) -> None:
            self.left = names

    layer = Layer()
    monkeypatch.setattr(module, "get_channel_layer", lambda: layer)

    async def listen() -> list[dict[str, Any]]:
        return [message async for message in module.heard("group", asyncio.Event())]

    listening = asyncio.create_task(listen())
    await subscribing.wait()
    listening.cancel()
    assert (await listening, layer.left) == ([], ("group", "mine"))


async def test_a_channel_layer_that_is_away_is_said_to_have_been_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    class Away:
        async def new_channel(self) -> str:
            raise ConnectionError

    tried = asyncio.Event()
    monkeypatch.setattr(module, "get_channel_layer", Away)
    listening = asyncio.ensure_future(anext(module.heard("group", tried)))
    await tried.wait()
    listening.cancel()
    assert await asyncio.wait([listening], timeout=10) == ({listening}, set())
