"""What an endpoint may ask to be told of, and what it is told. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import orjson

TEST = "test"
EVENTS = {
    "blocked": "A policy in force blocked or stopped something",
    "refused": "A policy in force refused a request, as limits do",
    "failed_open": "A policy failed, and what it should have judged passed",
    "failed_closed": "A policy failed, and what it should have judged was kept back",
    "would_block": "A policy in shadow would have blocked, stopped or refused",
}
"""Names of events, and what each means."""
DEFAULT = ("blocked", "failed_open", "failed_closed")
_IN_FORCE = {
    "block": "blocked",
    "stop": "blocked",
    "refuse": "refused",
    "failed_open": "failed_open",
    "failed_closed": "failed_closed",
}
_LISTENING = ("on_finish", "on_end")
"""Hooks that keep nothing back, whatever becomes of them."""


@dataclass(frozen=True, slots=True)
class About:
    """The decision that somebody is told of. `at` is when it fell; `target` is what it was about, as on record."""

    call: str
    position: int
    key: str
    team: str
    session: str
    model: str
    policy: str
    version: int
    mode: str
    hook: str
    target: str
    action: str
    reason: str
    late: bool
    at: datetime


def event_of(mode: str, hook: str, action: str) -> str:
    """The event that such a decision is; empty where nobody is told."""
    if hook in _LISTENING and action == "failed_closed":
        return ""
    if mode == "enforce":
        return _IN_FORCE.get(action, "")
    return "would_block" if action in ("block", "stop", "refuse") else ""


def event_id(call: str, position: int) -> str:
    """The same for the same decision, however often and to whomever it is told."""
    return "evt_" + sha256(f"{call}\0{position}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def body(id: str, event: str, about: About, link: str) -> bytes:
    """The JSON that is sent: who, what and why, never content. `link` is the address of the call's page."""
    said = asdict(about)
    call = {name: said.pop(name) for name in ("key", "team", "session", "model")}
    return _json(
        {
            "id": id,
            "event": event,
            "at": _time(said.pop("at")),
            "call": {"id": said.pop("call"), **call, "link": link},
            "decision": said,
        }
    )


def trial(id: str, at: datetime, link: str) -> bytes:
    """What the button for a test sends."""
    return _json({"id": id, "event": TEST, "at": _time(at), "link": link})


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _json(message: dict[str, Any]) -> bytes:
    return orjson.dumps(message)
