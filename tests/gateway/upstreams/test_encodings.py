import gzip
import zlib
from collections.abc import Callable

import brotli
import pytest
import zstandard

from gateway import encodings
from gateway.errors import UpstreamGarbled, UpstreamTruncated
from gateway.upstreams.encodings import Decoding

TEXT = b"event: ping\n\n" * 500


def _raw_deflate(data: bytes) -> bytes:
    deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return deflate.compress(data) + deflate.flush()


ENCODED: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip": ("X-GZip", gzip.compress),
    "deflate": ("deflate", zlib.compress),
    "bare deflate": ("deflate", _raw_deflate),
    "brotli": ("br", brotli.compress),
    "zstandard": ("zstd", zstandard.compress),
    "two, one upon the other": ("gzip, br", lambda data: brotli.compress(gzip.compress(data))),
    "identity": ("identity", bytes),
}


def decoded(header: str, data: bytes, size: int) -> bytes:
    decoding = Decoding("p", header)
    out = b"".join(
        piece for start in range(0, len(data), size) for piece in decoding.decode(data[start : start + size])
    )
    decoding.close()
    return out


@pytest.mark.parametrize("name", ENCODED)
@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_every_encoding_is_undone_however_it_is_cut(name: str, size: int) -> None:
    header, encode = ENCODED[name]
    assert decoded(header, encode(TEXT), size) == TEXT


@pytest.mark.parametrize("name", ["gzip", "deflate", "brotli", "zstandard"])
def test_an_end_that_is_missing_is_noticed(name: str) -> None:
    header, encode = ENCODED[name]
    with pytest.raises(UpstreamTruncated):
        decoded(header, encode(TEXT)[:-4], 50)


@pytest.mark.parametrize("header", ["gzip", "deflate", "br", "zstd"])
def test_garbage_is_named_as_such(header: str) -> None:
    with pytest.raises(UpstreamGarbled, match="The provider p"):
        decoded(header, b"\xffnothing of the sort" * 20, 5000)


def test_an_encoding_nobody_knows_is_refused() -> None:
    with pytest.raises(UpstreamGarbled):
        Decoding("p", "lzma")


def test_what_swells_comes_in_pieces() -> None:
    pieces = list(Decoding("p", "gzip").decode(gzip.compress(bytes(50_000_000))))
    assert len(pieces) > 10


def test_encodings_upon_one_another_swell_no_further_than_one() -> None:
    bomb = gzip.compress(gzip.compress(bytes(64 << 20)))
    pieces = list(map(len, Decoding("p", "gzip, gzip").decode(bomb)))
    assert sum(pieces) == 64 << 20
    assert max(pieces) <= 2 << 20


def test_a_piece_that_swells_beyond_measure_is_not_unfolded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encodings, "LARGEST_STEP", 1 << 20)
    with pytest.raises(UpstreamGarbled):
        list(Decoding("p", "br").decode(brotli.compress(bytes(16 << 20))))
