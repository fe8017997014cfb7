"""Calls under way in this process, and whose calls have been stopped: what is stopped ends here, and begins nowhere."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal, NamedTuple

from gateway.errors import Forbidden

if TYPE_CHECKING:
    from gateway.directory import Client
    from gateway.live_call import LiveCall


class Stop(NamedTuple):
    """A key of a team (empty for none), or a session."""

    kind: Literal["key", "session"]
    team: str
    name: str


_ends: frozenset[Stop] = frozenset()
_running: dict[LiveCall, asyncio.Task[object]] = {}
_ended: set[LiveCall] = set()


def enter(call: LiveCall) -> None:
    """`call` is under way from now on. Raises Forbidden for what has been stopped."""
    if _ends and call.record.is_real and (stop := _stop_of(call)) is not None:
        raise stopped(stop)
    task = asyncio.current_task()
    assert task is not None
    _running[call] = task


def require_key(client: Client) -> None:
    """Raises Forbidden for a key that has been stopped."""
    if (stop := Stop("key", client.team, client.key)) in _ends:
        raise stopped(stop)


def leave(call: LiveCall) -> None:
    """`call` is over."""
    _running.pop(call, None)
    _ended.discard(call)


def is_any_under_way() -> bool:
    """Whether this process has calls to serve at the moment."""
    return bool(_running)


def was_ended(call: LiveCall) -> Forbidden | None:
    """Why the task of `call`, which was cancelled, was: None if that was not our doing."""
    task = asyncio.current_task()
    # Cancelled by two, it belongs to the other one: a client that left, a server that ends.
    if call not in _ended or task is None or task.uncancel():
        return None
    stop = _stop_of(call)
    return stopped(stop) if stop is not None else Forbidden("This call was ended in the console.")


def put_in_force(stops: Iterable[Stop]) -> None:
    """These and no others are stopped from now on; their calls that are under way end."""
    global _ends
    _ends = frozenset(stops)
    if not _ends:
        return
    for call, task in list(_running.items()):
        if call not in _ended and _stop_of(call) is not None:
            _ended.add(call)
            task.cancel()


def stopped(stop: Stop) -> Forbidden:
    """What the client of a stopped key or session is told."""
    what = "This API key" if stop.kind == "key" else "This session"
    error = Forbidden(f"{what} was stopped by an operator of Luthien.")
    error.should_retry = False
    return error


def _stop_of(call: LiveCall) -> Stop | None:
    client = call.incoming.client
    own = (Stop("key", client.team, client.key), Stop("session", client.team, call.session))
    return next((stop for stop in own if stop in _ends), None)
