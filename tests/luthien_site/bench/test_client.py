import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from luthien_site.bench.client import CallFailed, Pool, check

HEAD = b"HTTP/1.1 200 OK\r\nx-luthien-call-id: call_7\r\ncontent-length: %d\r\n\r\n"


@asynccontextmanager
async def server(answer: Callable[[asyncio.StreamWriter], None], pieces: tuple[bytes, ...] = ()) -> AsyncIterator[Pool]:
    """A server that gives `answer` to each request, then `pieces`, each in a packet of its own."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1000):
            answer(writer)
            for piece in pieces:
                await writer.drain()
                await asyncio.sleep(0.01)
                writer.write(piece)

    listening = await asyncio.start_server(handle, "127.0.0.1", 0)
    pool = Pool(listening.sockets[0].getsockname()[1])
    try:
        yield pool
    finally:
        pool.close()
        listening.close()


async def test_a_whole_answer_comes_with_its_marks_and_its_call_id() -> None:
    body = b"one MARK and another MARKed"
    async with server(lambda writer: writer.write(HEAD % len(body) + body)) as pool:
        reply = await pool.call(b"GET / HTTP/1.1\r\n\r\n")
        assert (reply.status, reply.call_id, len(reply.marks), bytes(reply.body)) == (200, "call_7", 2, body)
        assert reply.complete
        assert reply.began <= reply.marks[0] <= reply.ended


async def test_a_mark_that_is_split_over_reads_counts_once() -> None:
    async with server(lambda writer: writer.write(HEAD % 9 + b"xMA"), (b"R", b"KMARK")) as pool:
        reply = await pool.call(b"GET / HTTP/1.1\r\n\r\n")
        assert len(reply.marks) == 2


async def test_an_idle_connection_serves_the_next_call() -> None:
    async with server(lambda writer: writer.write(HEAD % 4 + b"MARK")) as pool:
        first = await pool.call(b"GET / HTTP/1.1\r\n\r\n")
        second = await pool.call(b"GET / HTTP/1.1\r\n\r\n")
        assert first is not second
        assert len(pool._all) == 1


async def test_a_connection_that_is_cut_fails_the_call_and_keeps_what_came() -> None:
    def torn(writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD % 100 + b"MARK")
        writer.close()

    async with server(torn) as pool:
        connection = await pool.open()
        with pytest.raises(CallFailed, match="cut"):
            await connection.call(b"GET / HTTP/1.1\r\n\r\n")
        assert bytes(connection.reply.body) == b"MARK"
        assert not connection.reply.complete
        with pytest.raises(CallFailed, match="closed"):
            connection.begin(b"GET / HTTP/1.1\r\n\r\n")


async def test_an_answer_that_is_no_http_fails_the_call() -> None:
    async with server(lambda writer: writer.write(b"nonsense\r\n\r\n")) as pool:
        with pytest.raises(CallFailed, match="not HTTP"):
            await pool.call(b"GET / HTTP/1.1\r\n\r\n")


async def test_an_error_is_no_success_and_is_quoted() -> None:
    async with server(lambda writer: writer.write(b"HTTP/1.1 401 No\r\ncontent-length: 7\r\n\r\nbad key")) as pool:
        connection = await pool.open()
        reply = await connection.call(b"GET / HTTP/1.1\r\n\r\n")
        with pytest.raises(CallFailed, match="answered 401: bad key"):
            check(reply)
