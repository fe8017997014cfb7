"""The life of a call, top to bottom."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from gateway import forwarding
from gateway.calls import Head, Incoming
from gateway.directory import Directory
from gateway.errors import GatewayError, RequestBlocked, UpstreamFailed
from gateway.executor import Answered, RetryAsked
from gateway.live_call import LiveCall
from gateway.upstreams.base import Answer
from gateway.upstreams.headers import returned
from policies.content import Request, Text
from policies.events import End, Event, Start, block_events

Pieces = AsyncGenerator[Head | bytes, None]
"""The head of an answer, then, if it holds no body, the bytes that follow."""


async def run_call(incoming: Incoming, directory: Directory) -> Pieces:
    """Answer a call. Whatever goes wrong is told to the client in its dialect, and the call's record is closed."""
    async with LiveCall.recorded(incoming, directory) as call:
        try:
            async with aclosing(_answer(call)) as pieces:
                async for piece in pieces:
                    yield piece
        except Exception as error:
            if last := call.fail(error):
                yield last


async def _answer(call: LiveCall) -> Pieces:
    """Judge the request, and ask: one fallback after another until one answers, and again where a policy wants that."""
    checked = await call.check(call.begin())
    while not isinstance(checked, Answered):
        try:
            async with aclosing(_ask(call, checked)) as pieces:
                async for piece in pieces:
                    yield piece
            return
        except RetryAsked as asked:
            checked = await call.ask_again(asked, checked)
        except GatewayError as failure:
            checked = await call.fall_back(failure, checked)
    yield await _answer_locally(call, checked)


async def _ask(call: LiveCall, request: Request) -> Pieces:
    """Send the request, judge the answer, release it."""
    incoming, original = call.incoming, call.request
    target = call.attempts.target(request.model)
    if incoming.judges_only and not target.speaks(incoming.dialect.name):
        yield await _estimate(call, request)
        return
    outgoing = forwarding.outgoing(call, target, request)
    await call.sending(target, outgoing.body, request)
    async with target.upstream.send(outgoing) as answer:
        await call.answered(answer)
        streams = original.stream and _is_stream(answer)
        if call.head_is_out and not streams:
            raise UpstreamFailed(f"The provider {target.provider} was asked again, and answered {answer.status}.")
        if answer.status >= 400 or incoming.judges_only:
            yield await _pass_on(call, answer)
        elif streams:
            if not call.head_is_out:
                yield call.head(answer.status, forwarding.returned_headers(call, answer))
            async with aclosing(_released(call, answer, request)) as chunks:
                async for chunk in chunks:
                    yield chunk
        else:
            yield await _whole(call, answer)


async def _estimate(call: LiveCall, request: Request) -> Head:
    """The provider counts no tokens in the client's dialect, so they are guessed, and the answer says so."""
    body = forwarding.token_estimate(call, request)
    call.record.note("estimate", "the provider counts no tokens in this dialect")
    await call.opened()
    call.record.final(body)
    await call.close("finished", 200)
    return call.head(200, [("content-type", "application/json"), ("x-luthien-estimate", "true")], body)


async def _pass_on(call: LiveCall, answer: Answer) -> Head:
    """An error, or an answer that is no completion: status, headers and body as they came."""
    body = await answer.read()
    call.record.original(body)
    call.record.final(body)
    if answer.status < 400:
        call.tapped(forwarding.counted(call, body))
    await call.close("upstream_error" if answer.status >= 400 else "finished", answer.status)
    return call.head(answer.status, returned(answer.headers), body)


async def _whole(call: LiveCall, answer: Answer) -> Head:
    """An answer that is not streamed: the same policies, over the same events."""
    final = body = await answer.read()
    call.record.original(body)
    if events := call.read_answer(body):
        async with aclosing(call.executor.run(_once(events))) as released:
            out = [event async for batch in released for event in batch]
        final = call.incoming.dialect.write_answer(out)
        call.releasing(out)
    call.record.final(final)
    await call.close("finished", answer.status)
    return call.head(answer.status, forwarding.returned_headers(call, answer), final)


async def _released(call: LiveCall, answer: Answer, request: Request) -> AsyncGenerator[bytes, None]:
    """A streamed answer, judged and written: each piece leaves once what it completes is on record."""
    writer = call.incoming.dialect.writer(request)
    async with aclosing(call.executor.run(_events(call, answer, request))) as released:
        async for events in released:
            chunk = writer.write(events)
            call.record.final(chunk)
            await call.make_durable(events)
            if chunk:
                yield chunk
                call.record.delivered(len(chunk))
    await call.close("finished", answer.status)


async def _events(call: LiveCall, answer: Answer, request: Request) -> AsyncGenerator[list[Event], None]:
    """The upstream's chunks as events. Raises StreamTruncated before anyone could judge half a block."""
    reader = call.stream_reader(request)
    async with aclosing(answer.chunks()) as chunks:
        async for chunk in chunks:
            call.record.original(chunk)
            if events := reader.feed(chunk):
                yield call.tapped(events)
    if events := reader.close():
        yield call.tapped(events)


async def _answer_locally(call: LiveCall, answered: Answered) -> Head | bytes:
    """A policy answered: a completed turn, or an error where the client could not read one."""
    request, dialect = call.request, call.incoming.dialect
    if call.incoming.judges_only or (answered.blocked and request.structured):
        raise RequestBlocked(answered.text)
    turn = [Start(call.incoming.id, request.model), *block_events(Text(answered.text)), End("end_turn")]
    await call.opened()
    body = dialect.writer(request).write(turn) if request.stream else dialect.write_answer(turn)
    call.releasing(turn)
    call.record.final(body)
    await call.close("blocked" if answered.blocked else "finished", 200)
    if call.head_is_out:
        return body
    content_type = "text/event-stream; charset=utf-8" if request.stream else "application/json"
    return call.head(200, [("content-type", content_type)], body)


def _is_stream(answer: Answer) -> bool:
    return answer.status < 400 and any(
        name == "content-type" and value.startswith("text/event-stream") for name, value in answer.headers
    )


async def _once(events: list[Event]) -> AsyncGenerator[list[Event], None]:
    yield events
