"""A provider that costs next to nothing: it replays the demo provider's answers from memory.

It shares a core with the load, and the demo provider itself takes more processor time a call than all the rest of the
bench. Its answer to a script is made once; after that only the number of the request is put into it. `python -m
luthien_site.bench.provider PORT` runs it.
"""

from __future__ import annotations

import asyncio
import gc
import re
import sys
from dataclasses import dataclass
from typing import cast

import httptools
import uvloop

from gateway.upstreams.demo.provider import reply
from gateway.upstreams.demo.wire import Close, Wait

_NUMBER = re.compile(rb"Task (\d{10})")
_PLACE = b"0000000000"


@dataclass(slots=True)
class Burst:
    """Bytes that leave together, `wait` seconds after those before. `numbered` bytes hold the request's number."""

    wait: float
    data: bytes
    numbered: bool = False


class Tape:
    """The answers that were made so far, ready to be written."""

    def __init__(self) -> None:
        self._answers: dict[tuple[bytes, bytes], list[Burst]] = {}

    def answer(self, path: bytes, body: bytes) -> tuple[list[Burst], bytes]:
        """The answer to a request, and the number to put into it."""
        found = _NUMBER.search(body)
        number = found[1] if found else _PLACE
        key = (path, body.replace(number, _PLACE))
        if key not in self._answers:
            self._answers[key] = record(path.decode(), key[1])
        return self._answers[key], number


def record(path: str, body: bytes) -> list[Burst]:
    """The demo provider's answer as it goes over the wire, in HTTP/1.1."""
    made = reply("POST", path.removeprefix("/v1"), [], body)
    head = [f"HTTP/1.1 {made.status} OK", *(f"{name}: {value}" for name, value in made.headers)]
    head.append("transfer-encoding: chunked" if made.length is None else f"content-length: {made.length}")
    bursts = [Burst(0.0, "\r\n".join(head).encode() + b"\r\n\r\n")]
    for part in made.parts:
        if isinstance(part, Wait):
            bursts.append(Burst(part.seconds, b""))
        elif isinstance(part, Close):
            raise ValueError("the bench asks for no answer that is cut")
        else:
            bursts[-1].data += b"%x\r\n%b\r\n" % (len(part), part) if made.length is None else part
    if made.length is None:
        bursts[-1].data += b"0\r\n\r\n"
    for burst in bursts:
        burst.numbered = _PLACE in burst.data
    return bursts


class Replay(asyncio.Protocol):
    """One connection of a client; one call at a time."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self._parser = httptools.HttpRequestParser(self)
        self._path = b""
        self._body = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._transport.abort()

    def on_message_begin(self) -> None:
        self._path = self._body = b""

    def on_url(self, url: bytes) -> None:
        self._path += url

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        if not self._body:
            self._transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            return
        bursts, number = self._tape.answer(self._path.partition(b"?")[0], self._body)
        self._play(bursts, number, 0, asyncio.get_running_loop().time())

    def _play(self, bursts: list[Burst], number: bytes, place: int, due: float) -> None:
        if self._transport.is_closing():
            return
        burst = bursts[place]
        self._transport.write(burst.data.replace(_PLACE, number) if burst.numbered else burst.data)
        if place + 1 < len(bursts):
            # From when it was due, so that a late timer delays one event and not all that follow.
            due += bursts[place + 1].wait
            asyncio.get_running_loop().call_at(due, self._play, bursts, number, place + 1, due)


async def serve(port: int) -> None:
    """Serves on 127.0.0.1 until the process is ended."""
    tape = Tape()
    server = await asyncio.get_running_loop().create_server(lambda: Replay(tape), "127.0.0.1", port, backlog=512)
    await server.serve_forever()


if __name__ == "__main__":
    gc.freeze()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(int(sys.argv[1])))
