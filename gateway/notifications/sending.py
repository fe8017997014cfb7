"""One attempt at a delivery: a signed POST to a public or a listed address."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from gateway.errors import GatewayError
from gateway.fetching import host_of, post, signature

DEADLINE = 10.0
"""Seconds that an endpoint may take for its answer, of which only the status is read."""


@dataclass(frozen=True, slots=True)
class Message:
    """`event_id` is the same at each attempt, and for each endpoint."""

    url: str
    secret: str
    event: str
    event_id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """`status` is the answer's, None for no answer. `error` is a sentence, empty where it was taken."""

    status: int | None
    error: str = ""


async def send(message: Message) -> Outcome:
    """Anything but a status of 200 to 299 within DEADLINE is an error; redirects are not followed."""
    now = str(int(time.time()))
    headers = [
        ("content-type", "application/json"),
        ("accept-encoding", "identity"),
        ("user-agent", "luthien"),
        ("x-luthien-event", message.event),
        ("x-luthien-event-id", message.event_id),
        ("x-luthien-timestamp", now),
        ("x-luthien-signature", signature(message.secret, now, message.body)),
    ]
    host = host_of(message.url)
    try:
        async with asyncio.timeout(DEADLINE), post(message.url, headers, message.body) as answer:
            status = answer.status
    except TimeoutError:
        return Outcome(None, f"{host} did not answer within {DEADLINE:g} s.")
    except GatewayError as error:
        return Outcome(None, str(error).replace("The provider ", "").replace("base URL", "URL"))
    except (OSError, ValueError):
        return Outcome(None, f"{host} could not be asked: its URL is not valid.")
    return Outcome(status, "" if 200 <= status < 300 else f"{host} answered with status {status}.")
