"""What is known of a call when it begins, as its policies see it and as its record keeps it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from django.conf import settings

from gateway import counting, fetching, judge, pricing, session_memory
from gateway.calls import Incoming
from gateway.dialects import ANTHROPIC
from gateway.dialects.openai_embeddings import hides_input
from gateway.directory import Directory
from gateway.errors import BadRequest
from gateway.executor import Answered, PolicyExecutor
from observability.recording.recorder import CallFacts
from policies.base import Call
from policies.content import Request
from policies.verdicts import Decision

Read = tuple[Request, Exception | None]
"""A request, or an empty one and why it cannot be read; whoever sends such goes on record too."""

# One after the other, so that all other calls compete with one of them at most.
_large_bodies = ThreadPoolExecutor(1, "large-bodies")


def read(incoming: Incoming) -> Read:
    """The request, at once."""
    try:
        return incoming.dialect.read_request(incoming.body), None
    except Exception as error:
        return Request(""), error


async def read_large(incoming: Incoming) -> Read:
    """The request, read while other calls go on; see `strict_json.LARGE`."""
    return await asyncio.get_running_loop().run_in_executor(_large_bodies, read, incoming)


async def judged(incoming: Incoming, request: Request, executor: PolicyExecutor) -> Request | Answered:
    """What the policies make of `request`.

    Raises RequestRefused, and BadRequest where a policy in force is to judge an input that it cannot read.
    """
    if incoming.judges_only and executor.enforces_requests and hides_input(request):
        raise BadRequest("A policy has to read this input: send text, not token ids.", param="input")
    return await executor.check(request)


def seen_by_policies(
    incoming: Incoming, request: Request, session: str, directory: Directory, decide: Callable[[Decision], None]
) -> Call:
    """The call without what its record has to add; `decide` takes what its judges cost."""
    client = incoming.client
    call = Call(incoming.id, client.key, client.team, session, request.model, incoming.dialect.name, request)
    call.page = f"{settings.LUTHIEN_URL}/calls/{incoming.id}/"
    call.on_ask = partial(judge.ask, directory, incoming.began, decide)
    call.on_first_seen = session_memory.first_seen
    call.on_count, call.on_price, call.on_fetch = counting.count, pricing.price, fetching.fetch
    call.only_counts = incoming.judges_only and incoming.dialect is ANTHROPIC
    return call


def facts(incoming: Incoming, request: Request, session: str, snapshot: int) -> CallFacts:
    """`snapshot` is the number of the policies in force."""
    return CallFacts(
        id=incoming.id,
        key=incoming.client.key,
        team=incoming.client.team,
        session=session,
        model=request.model,
        dialect=incoming.dialect.name,
        path=incoming.path,
        streamed=request.stream,
        request_headers=list(incoming.headers.items()),
        request_body=incoming.body,
        snapshot=snapshot,
    )
