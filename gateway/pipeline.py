"""The life of a call, top to bottom."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from gateway import forwarding, stopping
from gateway.calls import Head, Reply
from gateway.errors import GatewayError, RequestBlocked, UpstreamFailed
from gateway.executor import Answered, Chain, RetryAsked
from gateway.live_call import LiveCall
from gateway.upstreams.base import Answer
from gateway.upstreams.headers import returned
from gateway.watch import ClientLeft
from policies.content import Request, Text
from policies.events import End, Event, Start, block_events

AHEAD = 1024
"""Bytes of what came with an answer's head judged before the rest: the first word does not wait for the last."""


async def run_call(call: LiveCall, reply: Reply) -> None:
    """Answer a call. Whatever goes wrong is told to the client in its dialect, and the call's record is closed.

    Raises ClientLeft.
    """
    try:
        last = await _answer(call, reply)
    except ClientLeft:
        raise
    except asyncio.CancelledError:
        ended = stopping.was_ended(call)
        if ended is None:
            raise
        last = call.fail(ended)
    except Exception as error:
        last = call.fail(error)
    finally:
        stopping.leave(call)
        call.left()
    if isinstance(last, Head):
        await reply.begin(last)
    elif last:
        await reply.send(last)


async def _answer(call: LiveCall, reply: Reply) -> Head | bytes:
    """Judge the request, and ask: one fallback after another until one answers, and again where a policy wants that.

    What is returned is still to be sent.
    """
    request = call.begin()
    stopping.enter(call)
    checked = await call.check(request)
    while not isinstance(checked, Answered):
        try:
            return await _ask(call, checked, reply)
        except RetryAsked as asked:
            checked = await call.ask_again(asked, checked)
        except GatewayError as failure:
            checked = await call.fall_back(failure, checked)
    return await _answer_locally(call, checked)


async def _ask(call: LiveCall, request: Request, reply: Reply) -> Head | bytes:
    """Send the request, judge the answer, release it; a whole one is returned."""
    incoming, original = call.incoming, call.request
    target = call.attempts.target(request.model)
    if incoming.judges_only and not target.speaks(incoming.dialect.name):
        return await _estimate(call, request)
    outgoing = forwarding.outgoing(call, target, request)
    await call.sending(target, outgoing.body, request)
    async with target.upstream.send(outgoing) as answer:
        await call.answered(answer)
        streams = original.stream and _is_stream(answer)
        if call.head_is_out and not streams:
            raise UpstreamFailed(f"The provider {target.provider} was asked again, and answered {answer.status}.")
        if answer.status >= 400 or incoming.judges_only:
            return await _pass_on(call, answer)
        if not streams:
            return await _whole(call, answer)
        await _stream(call, answer, request, reply)
        return b""


async def _estimate(call: LiveCall, request: Request) -> Head:
    """The provider counts no tokens in the client's dialect, so they are guessed, and the answer says so."""
    body = forwarding.token_estimate(call, request)
    call.record.note("estimate", "the provider counts no tokens in this dialect")
    await call.record.opened()
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
        with call.executor.chain() as chain:
            out = chain.feed(events)
            while chain.waiting:
                out += await chain.settle()
        final = call.incoming.dialect.write_answer(out, call.request)
        call.releasing(out)
    call.record.final(final)
    await call.close("finished", answer.status)
    return call.head(answer.status, forwarding.returned_headers(call, answer), final)


async def _stream(call: LiveCall, answer: Answer, request: Request, reply: Reply) -> None:
    """A streamed answer. Raises StreamTruncated before anyone could judge half a block."""
    with call.executor.chain() as chain:
        relay = _Relay(call, chain, request, reply)
        came = answer.at_hand()
        try:
            released = relay.judge(came[:AHEAD]) if came else []
        finally:
            await relay.begin(answer)
        await relay.release(released)
        if rest := came[AHEAD:]:
            await asyncio.sleep(0)  # a server writes what it was given when its loop comes round
            await relay.release(relay.judge(rest))
        if not chain.over:
            async with aclosing(answer.chunks()) as chunks:
                async for chunk in chunks:
                    await relay.release(relay.judge(chunk))
                    if chain.over:
                        break
        await relay.release(relay.end())
    await call.close("finished", answer.status)


class _Relay:
    """Each piece of an answer is judged as it comes, written, and leaves once it is on record."""

    def __init__(self, call: LiveCall, chain: Chain, request: Request, reply: Reply) -> None:
        self._call = call
        self._chain = chain
        self._reader = call.stream_reader(request)
        self._writer = call.incoming.dialect.writer(request)
        self._reply = reply

    async def begin(self, answer: Answer) -> None:
        """Release the head, unless that of an earlier attempt is out."""
        call = self._call
        await call.record.opened()
        if not call.head_is_out:
            await self._reply.begin(call.head(answer.status, forwarding.returned_headers(call, answer)))

    def judge(self, piece: bytes) -> list[Event]:
        """What may leave of it, and of what was held before, without waiting for a verdict."""
        self._call.record.original(piece)
        events = self._reader.feed(piece) if not self._chain.over else []
        return self._chain.feed(self._call.tapped(events)) if events else []

    def end(self) -> list[Event]:
        """What may leave at the end, unless a policy has ended the answer before."""
        events = self._reader.close() if not self._chain.over else []
        return self._chain.feed(self._call.tapped(events)) if events else []

    async def release(self, events: list[Event]) -> None:
        """Send what may leave, and then what waits for a verdict; a piece never waits for one on what follows it."""
        if self._call.is_live(events):  # as nearly all of them are
            if chunk := self._written(events):
                await self._reply.send(chunk)
                self._call.record.delivered(len(chunk))
        elif events:
            await self._send(events)
        while self._chain.waiting:
            if released := await self._chain.settle():
                await self._send(released)

    async def _send(self, events: list[Event]) -> None:
        """What needs no record does not wait with what does."""
        call = self._call
        if len(events) > 1 and 0 < (free := call.free(events)) < len(events):
            await self._send(events[:free])
            events = events[free:]
        chunk = self._written(events)
        if (on_record := call.durable(events)) is not None:
            await on_record
        if chunk:
            await self._reply.send(chunk)
            call.record.delivered(len(chunk))

    def _written(self, events: list[Event]) -> bytes:
        chunk = self._writer.write(events)
        self._call.record.final(chunk)
        return chunk


async def _answer_locally(call: LiveCall, answered: Answered) -> Head | bytes:
    """A policy answered: a completed turn, or an error where the client could not read one."""
    request, dialect = call.request, call.incoming.dialect
    if call.incoming.judges_only or (answered.blocked and request.structured):
        raise RequestBlocked(answered.text)
    turn = [Start(call.incoming.id, request.model), *block_events(Text(answered.text)), End("end_turn")]
    await call.record.opened()
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
