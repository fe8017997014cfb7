import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from gateway.upstreams import pool
from gateway.upstreams.http1 import Connection
from gateway.upstreams.pool import Address, Pool

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


@asynccontextmanager
async def answering() -> AsyncIterator[tuple[Pool, list[asyncio.StreamWriter]]]:
    """A pool to a server that answers everything, and the server's ends of its connections."""
    ends: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends.append(writer)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(ANSWER)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        there = Pool(Address.of(f"http://127.0.0.1:{port}"))
        yield there, ends
        there.close()


async def call(there: Pool) -> Connection:
    connection = there.take() or await there.dial()
    connection.send(b"GET / HTTP/1.1\r\n\r\n", b"")
    while await connection.read():
        pass
    return connection


async def test_the_connection_that_was_used_last_is_used_next() -> None:
    async with answering() as (there, ends):
        first, second = await call(there), await call(there)
        there.give_back(first)
        there.give_back(second)
        assert await call(there) is second
        assert len(ends) == 2


async def test_a_connection_that_the_provider_closed_is_not_used_again() -> None:
    async with answering() as (there, ends):
        first = await call(there)
        there.give_back(first)
        ends[0].close()
        await asyncio.wait_for(_closed(first), 60)
        assert there.take() is None


async def test_a_connection_is_not_kept_longer_than_providers_keep_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "KEEP_ALIVE", 0.01)
    async with answering() as (there, _):
        first = await call(there)
        there.give_back(first)
        await asyncio.wait_for(_closed(first), 60)
        assert there.take() is None


async def test_one_whose_answer_was_not_read_is_closed() -> None:
    async with answering() as (there, _):
        connection = await there.dial()
        connection.send(b"GET / HTTP/1.1\r\n\r\n", b"")
        there.give_back(connection)
        assert connection.closed
        assert there.take() is None


async def _closed(connection: Connection) -> None:
    while not connection.closed:  # noqa: ASYNC110 (the connection has no event for it)
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://a.example", Address("a.example", 80, False, "", "a.example")),
        ("https://a.example:8443/x y/v1", Address("a.example", 8443, True, "/x%20y/v1", "a.example:8443")),
        ("http://[::1]:9/v1", Address("::1", 9, False, "/v1", "[::1]:9")),
        ("http://user:secret@a.example/", Address("a.example", 80, False, "/", "a.example")),
        ("https://bücher.example", Address("bücher.example", 443, True, "", "xn--bcher-kva.example")),
    ],
)
def test_a_base_url_says_where_to_go(url: str, address: Address) -> None:
    assert Address.of(url) == address


@pytest.mark.parametrize("url", ["ftp://a.example", "a.example", "http://", "http://a:notaport", ""])
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError):
        Address.of(url)
