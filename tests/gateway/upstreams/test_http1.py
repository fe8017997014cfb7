import asyncio
from collections.abc import Coroutine
from typing import Any, cast

import pytest

from gateway.upstreams.http1 import LONGEST_HEAD, Connection, ConnectionEnded, NotHTTP

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
WHOLE = HEAD + b"content-length: 5\r\n\r\nhello"


class Socket:
    """Stands in for the transport: keeps what is written, and whether reading is paused."""

    def __init__(self) -> None:
        self.written = b""
        self.paused = False
        self.aborted = False

    def writelines(self, parts: tuple[bytes, ...]) -> None:
        self.written += b"".join(parts)

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False

    def abort(self) -> None:
        self.aborted = True


class Line:
    """A connection on which a request is out."""

    def __init__(self, idle: bool = False) -> None:
        self.lost: list[Connection] = []
        self.socket = Socket()
        self.connection = Connection(self.lost.append)
        self.connection.connection_made(cast(asyncio.BaseTransport, self.socket))
        if not idle:
            self.connection.send(b"GET / HTTP/1.1\r\n\r\n", b"")

    async def body(self) -> bytes:
        body = b""
        while data := await self.connection.read():
            body += data
        return body


async def waiting(work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    task = asyncio.create_task(work)
    await asyncio.sleep(0)
    assert not task.done()
    return task


async def test_head_and_body_go_out_together() -> None:
    line = Line(idle=True)
    line.connection.send(b"head", b"body")
    assert line.socket.written == b"headbody"


@pytest.mark.parametrize("size", [1, 7, 1000])
async def test_an_answer_is_read_however_it_is_cut(size: int) -> None:
    line = Line()
    reading = await waiting(line.connection.head())
    for start in range(0, len(WHOLE), size):
        line.connection.data_received(WHOLE[start : start + size])
    await reading
    assert line.connection.status == 200
    assert line.connection.headers == [("content-type", "text/plain"), ("content-length", "5")]
    assert await line.body() == b"hello"
    assert line.connection.reusable


async def test_what_came_in_several_pieces_is_read_as_one() -> None:
    line = Line()
    line.connection.data_received(HEAD + b"transfer-encoding: chunked\r\n\r\n")
    line.connection.data_received(b"3\r\none\r\n3\r\ntwo\r\n")
    assert await line.connection.read() == b"onetwo"
    reading = await waiting(line.connection.read())
    line.connection.data_received(b"0\r\n\r\n")
    assert await reading == b""


async def test_interim_answers_are_passed_over() -> None:
    line = Line()
    line.connection.data_received(b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" + WHOLE)
    await line.connection.head()
    assert (line.connection.status, len(line.connection.headers)) == (200, 2)
    assert await line.body() == b"hello"


async def test_what_follows_a_body_does_not_change_its_head() -> None:
    line = Line()
    line.connection.data_received(HEAD + b"transfer-encoding: chunked\r\n\r\n")
    line.connection.data_received(b"5\r\nhello\r\n0\r\nContent-Type: text/event-stream\r\nx-more: 1\r\n\r\n")
    assert await line.body() == b"hello"
    assert line.connection.headers == [("content-type", "text/plain"), ("transfer-encoding", "chunked")]
    assert line.connection.reusable


async def test_a_body_without_a_length_ends_with_the_connection() -> None:
    line = Line()
    line.connection.data_received(HEAD + b"\r\nhel")
    line.connection.data_received(b"lo")
    line.connection.connection_lost(None)
    assert await line.body() == b"hello"
    assert not line.connection.reusable
    assert line.lost == [line.connection]


@pytest.mark.parametrize("error", [None, ConnectionResetError()])
async def test_a_body_that_stops_before_its_length_is_no_body(error: Exception | None) -> None:
    line = Line()
    line.connection.data_received(WHOLE[:-2])
    assert await line.connection.read() == b"hel"
    reading = await waiting(line.connection.read())
    line.connection.connection_lost(error)
    with pytest.raises(ConnectionEnded):
        await reading


async def test_a_body_without_a_length_that_is_torn_off_is_no_body() -> None:
    line = Line()
    line.connection.data_received(HEAD + b"\r\nhel")
    line.connection.connection_lost(ConnectionResetError())
    with pytest.raises(ConnectionEnded):
        await line.body()


@pytest.mark.parametrize(
    "garbage",
    [b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n"],
)
async def test_what_is_not_http_is_not_read(garbage: bytes) -> None:
    line = Line()
    line.connection.data_received(garbage)
    with pytest.raises(NotHTTP):
        await line.connection.head()
    assert line.socket.aborted


async def test_a_head_without_end_is_not_read() -> None:
    line = Line()
    line.connection.data_received(b"HTTP/1.1 200 OK\r\nx: ")
    for _ in range(LONGEST_HEAD // 65536 + 1):
        line.connection.data_received(b"a" * 65536)
    with pytest.raises(NotHTTP):
        await line.connection.head()


async def test_a_second_answer_to_one_request_is_not_taken_for_the_next_calls() -> None:
    line = Line()
    line.connection.data_received(WHOLE + WHOLE)
    assert await line.body() == b"hello"
    assert not line.connection.reusable


async def test_an_answer_to_nothing_closes_the_connection() -> None:
    line = Line(idle=True)
    line.connection.data_received(WHOLE)
    assert line.socket.aborted
    assert line.connection.closed


async def test_the_provider_waits_while_nobody_reads() -> None:
    line = Line()
    line.connection.data_received(HEAD + b"content-length: 1000000\r\n\r\n")
    line.connection.data_received(bytes(200_000))
    assert line.socket.paused
    assert len(await line.connection.read()) == 200_000
    assert not line.socket.paused


async def test_a_connection_that_the_provider_will_close_is_not_kept() -> None:
    line = Line()
    line.connection.data_received(HEAD + b"connection: close\r\ncontent-length: 5\r\n\r\nhello")
    assert await line.body() == b"hello"
    assert not line.connection.reusable


async def test_an_answer_that_was_not_read_to_its_end_leaves_nothing_to_the_next() -> None:
    line = Line()
    line.connection.data_received(WHOLE)
    assert not line.connection.reusable


async def test_whoever_waits_hears_why_it_was_given_up() -> None:
    line = Line()
    reading = await waiting(line.connection.head())
    line.connection.fail(TimeoutError("too long"))
    with pytest.raises(TimeoutError, match="too long"):
        await reading
    line.connection.connection_lost(None)
    with pytest.raises(TimeoutError):
        await line.connection.read()
