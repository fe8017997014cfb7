from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dialects import sse
from gateway.dialects.sse import FrameSplitter, RawFrame
from gateway.errors import UpstreamGarbled

NEWLINES = ["\n", "\r\n", "\r"]


def split(*chunks: bytes) -> list[RawFrame]:
    splitter = FrameSplitter()
    frames = [frame for chunk in chunks for frame in splitter.feed(chunk)]
    return frames + splitter.close()


@pytest.mark.parametrize("newline", NEWLINES)
def test_frames_end_with_a_blank_line_in_any_style(newline: str) -> None:
    text = "event: a{n}data: 1{n}{n}data:2{n}{n}".replace("{n}", newline).encode()
    assert [data for _, data in split(text)] == [b"1", b"2"]
    assert b"".join(raw for raw, _ in split(text)) == text


def test_data_lines_are_joined_and_one_space_is_dropped() -> None:
    assert split(b"data: a\ndata:  b\ndata\ndata:c\n\n")[0][1] == b"a\n b\n\nc"


def test_comments_ids_and_a_byte_order_mark_are_no_data() -> None:
    assert split(b"\xef\xbb\xbfdata: 1\n\n: hi\nid: 3\nretry: 1\n\n") == [
        (b"\xef\xbb\xbfdata: 1\n\n", b"1"),
        (b": hi\nid: 3\nretry: 1\n\n", None),
    ]


def test_a_line_end_cut_between_two_chunks_is_one_line_end() -> None:
    splitter = FrameSplitter()
    assert splitter.feed(b"data: 1\r\n\r") == []
    assert splitter.feed(b"\ndata: 2\r") == [(b"data: 1\r\n\r\n", b"1")]
    assert splitter.feed(b"\n\r\n") == [(b"data: 2\r\n\r\n", b"2")]


def test_what_follows_the_last_blank_line_is_told_at_the_end() -> None:
    assert split(b"data: 1\n\ndata: 2") == [(b"data: 1\n\n", b"1"), (b"data: 2", b"2")]


def test_a_frame_without_an_end_is_refused_once_it_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_FRAME", 100)
    splitter = FrameSplitter()
    with pytest.raises(UpstreamGarbled):
        for _ in range(30):
            splitter.feed(b"data:")
    with pytest.raises(UpstreamGarbled):
        FrameSplitter().feed(b"x" * 101)


@given(st.lists(st.sampled_from([b"data: x", b"data:", b"event: e", b": c", b"\n", b"\r\n", b"\r", b"x"])), st.data())
def test_any_cut_keeps_every_byte_and_all_data(pieces: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=5)))
    chunks = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    frames = split(*chunks)
    assert b"".join(raw for raw, _ in frames) == stream
    assert [found for _, found in frames if found] == [found for _, found in split(stream) if found]
