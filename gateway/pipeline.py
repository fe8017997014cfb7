"""The life of a call, top to bottom."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncGenerator
from contextlib import aclosing

from gateway.calls import Head, Incoming
from gateway.directory import Directory, Target
from gateway.errors import NotFound, RequestBlocked
from gateway.executor import Answered, RetryAsked
from gateway.live_call import LiveCall
from gateway.upstreams.base import Answer, Outgoing
from gateway.upstreams.headers import forwarded, returned
from policies.content import Request, Text
from policies.events import End, Event, Start, block_events

MOST_ATTEMPTS = 3
"""Upstreams that one call may ask, where policies ask for another model again and again."""


async def run_call(incoming: Incoming, directory: Directory) -> AsyncGenerator[Head | bytes, None]:
    """The head of the answer, then its bytes. Raises GatewayError until the head is out; later errors are in-band.

    Whatever happens, the call's record is closed with what is known by then.
    """
    async with LiveCall.recorded(incoming) as call:
        original = call.read_request(directory)
        target = _target(directory, original.model)
        checked = await call.executor.check(original)
        if isinstance(checked, Answered):
            async with aclosing(_answer_locally(call, original, checked)) as answer:
                async for piece in answer:
                    yield piece
            return
        for _ in range(MOST_ATTEMPTS):
            if checked.model != original.model:
                target = _target(directory, checked.model)
            try:
                async with aclosing(_ask(call, target, original, checked)) as answer:
                    async for piece in answer:
                        yield piece
                return
            except RetryAsked as asked:
                checked = dataclasses.replace(checked, model=asked.model)
        raise NotFound(f"Policies asked for another model {MOST_ATTEMPTS} times; giving up.")


async def _ask(call: LiveCall, target: Target, original: Request, final: Request) -> AsyncGenerator[Head | bytes, None]:
    """Send the request, judge the answer, release it."""
    incoming, dialect = call.incoming, call.incoming.dialect
    if not target.speaks(dialect.name):
        wanted = f"The model {final.model[:200]} is not served in the dialect {dialect.name}."
        raise NotFound(wanted, param="model", code="model_not_found")
    body = dialect.write_request(incoming.body, original, final, target.model)
    outgoing = Outgoing(incoming.method, incoming.path, forwarded(incoming.headers), body, original.stream)
    call.sending(target, body, changed=final is not original)
    async with target.upstream.send(outgoing) as answer:
        await call.answered(answer)
        if answer.status >= 400 or incoming.judges_only:
            yield await _pass_on(call, answer)
        elif original.stream and _is_stream(answer):
            if not call.head_is_out:
                yield call.head(answer.status, returned(answer.headers))
            async with aclosing(_released(call, answer, final)) as chunks:
                async for chunk in chunks:
                    yield chunk
        else:
            yield await _whole(call, answer, final)


async def _pass_on(call: LiveCall, answer: Answer) -> Head:
    """An error, or an answer that is no completion: status, headers and body as they came."""
    body = await answer.read()
    call.record.original(body)
    call.record.final(body)
    await call.close("upstream_error" if answer.status >= 400 else "finished", answer.status)
    return call.head(answer.status, returned(answer.headers), body)


async def _whole(call: LiveCall, answer: Answer, request: Request) -> Head:
    """An answer that is not streamed: the same policies, over the same events."""
    body = await answer.read()
    call.record.original(body)
    events = call.read_answer(body)
    final = body
    if events:
        async with aclosing(call.executor.run(_once(call.tapped(events)))) as released:
            out = [event async for batch in released for event in batch]
        final = call.incoming.dialect.write_answer(out)
    call.record.final(final)
    await call.close("finished", answer.status)
    return call.head(answer.status, returned(answer.headers), final)


async def _released(call: LiveCall, answer: Answer, request: Request) -> AsyncGenerator[bytes, None]:
    """A streamed answer, judged and written: each piece leaves once what it holds is on record."""
    writer = call.incoming.dialect.writer(request)
    async with aclosing(call.executor.run(_events(call, answer, request))) as released:
        async for events in released:
            chunk = writer.write(events)
            call.record.final(chunk)
            await call.make_durable(events, answer.status)
            if chunk:
                yield chunk
    await call.close("finished", answer.status)


async def _events(call: LiveCall, answer: Answer, request: Request) -> AsyncGenerator[list[Event], None]:
    """The upstream's chunks as events. Raises StreamTruncated before anyone could judge half a block."""
    reader = call.stream_reader(request)
    async with aclosing(answer.chunks()) as chunks:
        async for chunk in chunks:
            call.record.original(chunk)
            events = reader.feed(chunk)
            if events:
                yield call.tapped(events)
    events = reader.close()
    if events:
        yield call.tapped(events)


async def _answer_locally(call: LiveCall, request: Request, answered: Answered) -> AsyncGenerator[Head | bytes, None]:
    """A policy answered: a completed turn, or an error where the client could not read one."""
    if answered.blocked and (call.incoming.judges_only or request.structured):
        raise RequestBlocked(answered.text)
    dialect = call.incoming.dialect
    turn = [Start(call.incoming.id, request.model), *block_events(Text(answered.text)), End("end_turn")]
    await call.opened()
    body = dialect.writer(request).write(turn) if request.stream else dialect.write_answer(turn)
    call.record.final(body)
    await call.close("blocked" if answered.blocked else "finished", 200)
    content_type = "text/event-stream; charset=utf-8" if request.stream else "application/json"
    yield call.head(200, [("content-type", content_type)], body)


def _target(directory: Directory, model: str) -> Target:
    target = directory.target(model)
    if target is None:
        raise NotFound(f"The model {model[:200]} is not served here.", param="model", code="model_not_found")
    return target


def _is_stream(answer: Answer) -> bool:
    return any(name == "content-type" and value.startswith("text/event-stream") for name, value in answer.headers)


async def _once(events: list[Event]) -> AsyncGenerator[list[Event], None]:
    yield events


