import asyncio
import gzip
import zlib

import brotli
import pytest
import zstandard

from gateway import encodings, watch
from gateway.bodies import Bodies, decode
from gateway.errors import BadRequest, RequestStalled, TooLarge, Unavailable, Unsupported
from gateway.watch import ClientLeft, Watch


class Sender:
    """An ASGI `receive` that plays the messages it was given."""

    def __init__(self, *chunks: bytes, leaves: bool = False) -> None:
        last = len(chunks) - 1
        self.messages = [
            {"type": "http.request", "body": chunk, "more_body": i < last or leaves} for i, chunk in enumerate(chunks)
        ]
        if leaves:
            self.messages.append({"type": "http.disconnect"})

    async def __call__(self) -> dict[str, object]:
        return self.messages.pop(0)


def _compressed(encoding: str, body: bytes) -> bytes:
    match encoding:
        case "gzip":
            return gzip.compress(body)
        case "deflate":
            return zlib.compress(body)
        case "raw deflate":
            compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
            return compressor.compress(body) + compressor.flush()
        case "br":
            return bytes(brotli.compress(body))
        case _:
            return zstandard.compress(body)


async def test_a_body_in_pieces_is_read_whole() -> None:
    bodies = Bodies(Watch())
    assert await bodies.read(Sender(b"{", b"}"), "") == b"{}"
    assert bodies.in_flight == 2


async def test_a_body_is_counted_while_it_comes() -> None:
    bodies = Bodies(Watch(), largest=10)
    sender = Sender(b"x" * 8, b"x" * 8, b"never read")
    with pytest.raises(TooLarge):
        await bodies.read(sender, "")
    assert len(sender.messages) == 1
    assert bodies.in_flight == 0


async def test_all_bodies_together_are_capped() -> None:
    bodies = Bodies(Watch(), largest=10, largest_in_flight=15)
    await bodies.read(Sender(b"x" * 10), "")
    with pytest.raises(Unavailable):
        await bodies.read(Sender(b"x" * 10), "")
    bodies.release(10)
    assert await bodies.read(Sender(b"x" * 10), "") == b"x" * 10


async def test_a_client_that_leaves_gives_its_share_back() -> None:
    bodies = Bodies(Watch())
    with pytest.raises(ClientLeft):
        await bodies.read(Sender(b"half", leaves=True), "")
    assert bodies.in_flight == 0


class Silent(Sender):
    """A sender that plays its messages and then says nothing more."""

    async def __call__(self) -> dict[str, object]:
        if len(self.messages) > 1:
            return await super().__call__()
        await asyncio.Event().wait()
        raise AssertionError


async def test_a_body_that_stops_coming_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "_TICK", 0)
    monkeypatch.setattr(watch, "SLOWEST_SENDER", 0.01)
    bodies = Bodies(Watch())
    with pytest.raises(RequestStalled):
        await bodies.read(Silent(b"half", b"never sent"), "")
    assert bodies.in_flight == 0
    await asyncio.sleep(0)  # nothing is left of the cancellation


class Dripping(Sender):
    """A sender that always says one byte more."""

    async def __call__(self) -> dict[str, object]:
        await asyncio.sleep(0)
        return {"type": "http.request", "body": b"x", "more_body": True}


async def test_a_body_that_drips_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "_TICK", 0)
    monkeypatch.setattr(watch, "LONGEST_SENDING", 0.01)
    bodies = Bodies(Watch())
    with pytest.raises(RequestStalled):
        await bodies.read(Dripping(), "")
    assert bodies.in_flight == 0


async def test_a_server_that_cancels_a_slow_request_is_obeyed() -> None:
    reading = asyncio.create_task(Bodies(Watch()).read(Silent(b"half", b"never sent"), ""))
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading


async def test_a_decoded_body_is_counted_as_it_lies_in_memory() -> None:
    bodies = Bodies(Watch())
    body = b"a" * 5000
    assert await bodies.read(Sender(gzip.compress(body)), "gzip") == body
    assert bodies.in_flight == 5000


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "raw deflate", "br", "zstd"])
def test_every_supported_encoding_is_decoded(encoding: str) -> None:
    body = b'{"model": "demo/echo"}' * 999
    assert decode(_compressed(encoding, body), encoding.removeprefix("raw ")) == body


def test_codings_are_undone_in_the_reverse_order() -> None:
    assert decode(brotli.compress(gzip.compress(b"twice")), "gzip, br") == b"twice"


def test_a_piece_that_swells_beyond_measure_is_not_unfolded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encodings, "LARGEST_STEP", 1 << 20)
    with pytest.raises(TooLarge, match="64 MiB"):
        decode(brotli.compress(bytes(16 << 20)), "br", 64 << 20)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
def test_a_bomb_is_refused_before_it_unfolds(encoding: str) -> None:
    with pytest.raises(TooLarge):
        decode(_compressed(encoding, b"\0" * 3_000_000), encoding, largest=100_000)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
def test_what_is_not_the_encoding_is_the_clients_mistake(encoding: str) -> None:
    with pytest.raises(BadRequest):
        decode(b"this is plain text, not compressed at all", encoding)


@pytest.mark.parametrize("encoding", ["compress", "snappy", "gzip, rot13"])
def test_what_cannot_be_inspected_is_refused(encoding: str) -> None:
    with pytest.raises(Unsupported):
        decode(b"", encoding)


@pytest.mark.parametrize("encoding", ["", "identity", "identity, identity"])
def test_no_coding_changes_nothing(encoding: str) -> None:
    assert decode(b"plain", encoding) == b"plain"


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
def test_a_truncated_body_is_the_clients_mistake(encoding: str) -> None:
    body = _compressed(encoding, bytes(range(256)) * 40)
    for cut in (1, len(body) // 2, len(body) - 1):
        with pytest.raises(BadRequest):
            decode(body[:cut], encoding)
