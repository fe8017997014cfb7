from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dialects import ANTHROPIC, OPENAI_CHAT
from gateway.dialects.base import Dialect
from gateway.dialects.templates import Mould, Template
from gateway.errors import UpstreamGarbled
from policies.content import Request
from policies.events import BlockDelta, Event

SOURCE = {"text": "hello"}
LETTERS = b"abcdefghijklmnopqrstuvwxyz0123456789"


def learned(raw: bytes, text: str = "hello", **options: Any) -> Template:
    template = Template.learn(raw, b"text", text, SOURCE, **options)
    assert template is not None
    return template


def said(template: Template, raw: bytes) -> str | None:
    delta = template.read(raw)
    return delta.text if delta else None


def test_a_frame_that_differs_in_its_text_alone_is_read() -> None:
    template = learned(b'data: {"a":1,"text":"hello","b":[2]}\n\n')
    delta = template.read('data: {"a":1,"text":"Grüße","b":[2]}\n\n'.encode())
    assert delta is not None
    assert (delta.text, delta.source) == ("Grüße", SOURCE)
    assert delta.frame is not None
    assert delta.frame.raw == 'data: {"a":1,"text":"Grüße","b":[2]}\n\n'.encode()


@pytest.mark.parametrize(
    "raw",
    [
        b'data: {"a":2,"text":"hello"}\n\n',
        b'data: {"a":1,"text":"hello","b":1}\n\n',
        b'data: {"a":1,"text":""}\n\n',
        b'data: {"a":1,"text":"a\\nb"}\n\n',
        b'data: {"a":1,"text":"a","text":"b"}\n\n',
        b'data: {"a":1,"text":"a\nb"}\n\n',
        b'data: {"a":1,"text":"\xff"}\n\n',
        b'data: {"a":1,"text":"\xed\xa0\x80"}\n\n',
        b'data: {"a":1,"text":"}\n\n',
        b"data: [DONE]\n\n",
        b"",
    ],
)
def test_any_other_frame_is_not(raw: bytes) -> None:
    assert learned(b'data: {"a":1,"text":"hello"}\n\n').read(raw) is None


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b'{"text":"hello","b":{"text":"hello"}}', "hello"),
        (b'{"x\\"text":"hello"}', "hello"),
        (b'{"other":"hello"}', "hello"),
        (b'{"text":"a\\tb"}', "a\tb"),
        (b'{"text":null}', "hello"),
        (b'{"text":""}', ""),
        (b'{"text":"hel"}', "hello"),
        (b'{"a":{"text":"hello"},"b":{"text" :"hello"}}', "hello"),
        (b'{"a":{"text":"hello"},"b":{"te\\u0078t":"hello"}}', "hello"),
        (b'{"a":"text","b":["text","hello"]}', "hello"),
    ],
)
def test_nothing_is_learned_where_the_texts_place_is_not_sure(raw: bytes, text: str) -> None:
    assert Template.learn(raw, b"text", text, SOURCE) is None


def test_a_blank_may_stand_before_the_text() -> None:
    assert said(learned(b'{"a": 1, "text": "hello"}'), b'{"a": 1, "text": "there"}') == "there"


@pytest.mark.parametrize("noise", [b"", b"x", b"abc123"])
def test_letters_that_hide_a_texts_length_do_not_matter(noise: bytes) -> None:
    template = learned(b'{"text":"hello","hidden":"ab"}', noise=LETTERS, tail=b'"}')
    raw = b'{"text":"there","hidden":"' + noise + b'"}'
    assert said(template, raw) == "there"
    assert said(template, raw.replace(b"hidden", b"other")) is None


def test_a_frame_may_go_on_in_another_shape_than_it_came() -> None:
    came, goes = b'{"text":"hello","hidden":"ab","usage":null}', b'{"text":"hello","hidden":"ab"}'
    template = learned(came, noise=LETTERS, tail=b'","usage":null}')
    template = template.written_as(learned(goes, noise=LETTERS, tail=b'"}')) or template
    delta = template.read(b'{"text":"there","hidden":"xyz","usage":null}')
    assert delta is not None
    assert delta.frame is not None
    assert delta.frame.raw == b'{"text":"there","hidden":"xyz"}'
    assert template.written_as(None) is None


def test_what_stands_around_the_texts_of_a_source_is_written_once() -> None:
    asked: list[str] = []

    def write(text: str) -> bytes:
        asked.append(text)
        return b"<" + orjson.dumps(text) + b">"

    mould, source = Mould(), object()
    assert [mould.write(source, text, write) for text in ("a", 'b"', "c")] == [b'<"a">', b'<"b\\"">', b'<"c">']
    assert len(asked) == 2
    mould.clear()
    mould.write(source, "d", write)
    assert asked[-1] == "d"


def test_a_text_that_is_written_twice_has_no_mould() -> None:
    mould, source = Mould(), object()
    texts = [mould.write(source, text, lambda text: orjson.dumps([text, text])) for text in "abc"]
    assert texts == [b'["a","a"]', b'["b","b"]', b'["c","c"]']


def chat(text: str, **extra: Any) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    return b"data: " + orjson.dumps({"id": "c", "choices": [choice], "usage": None, **extra}) + b"\n\n"


def anthropic(text: str, blanks: int = 0) -> bytes:
    data = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}
    return b"event: content_block_delta\ndata: " + orjson.dumps(data)[:-1] + b" " * blanks + b"}\n\n"


CHAT_BEGIN = b'data: {"id":"c","choices":[{"index":0,"delta":{"role":"assistant"}}],"usage":null}\n\n'
ANTHROPIC_BEGIN = (
    b'event: message_start\ndata: {"type":"message_start","message":{"id":"m","model":"m","usage":{}}}\n\n'
    b'event: content_block_start\ndata: {"type":"content_block_start","index":0,'
    b'"content_block":{"type":"text","text":""}}\n\n'
)
HIDDEN = st.text("abcXYZ019", min_size=1, max_size=5)
TEXTS = st.text(min_size=0, max_size=8) | st.sampled_from(["a", "\n", '"', "\\", "\u2028", "é", "\U0001f600"])
STREAMS = st.one_of(
    st.tuples(st.just(OPENAI_CHAT), st.just(CHAT_BEGIN), st.lists(st.builds(chat, TEXTS), max_size=8)),
    st.tuples(
        st.just(OPENAI_CHAT), st.just(CHAT_BEGIN), st.lists(st.builds(chat, TEXTS, obfuscation=HIDDEN), max_size=8)
    ),
    st.tuples(
        st.just(ANTHROPIC),
        st.just(ANTHROPIC_BEGIN),
        st.lists(st.builds(anthropic, TEXTS, st.integers(0, 3)), max_size=8),
    ),
)


def told(events: list[Event]) -> list[tuple[Event, bytes | None]]:
    return [(event, event.frame.raw if event.frame else None) for event in events]


def decoy(text: str, name: str) -> bytes:
    """A delta whose content is always the same, and stands in another place under a spelling of its own."""
    return b'data: {"decoy":{"content":"%s"},"choices":[{"index":0,"delta":{%s:"hello"}}]}\n\n' % (
        text.encode(),
        name.encode(),
    )


def hiding(key: str) -> bytes:
    """A delta with a member behind the letters that hide its length, whose name looks like them."""
    call = {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    members = {"obfuscation": "x", key: [{"index": 0, "delta": {"tool_calls": [call]}}]}
    choice = {"index": 0, "delta": {"content": "hello"}}
    return b'data: {"choices":' + orjson.dumps([choice]) + b"," + orjson.dumps(members)[1:] + b"\n\n"


@pytest.mark.parametrize("name", ['"content" ', '"c\\u006fntent"'])
def test_what_a_template_says_is_what_clients_find_in_the_frame(name: str) -> None:
    reader = OPENAI_CHAT.reader(Request("m"))
    events = reader.feed(CHAT_BEGIN + decoy("hello", name) * 2 + decoy("judged", name))
    assert [event.text for event in events if isinstance(event, BlockDelta)] == ["hello"] * 3


def test_letters_that_hide_a_length_are_not_the_name_of_something() -> None:
    reader = OPENAI_CHAT.reader(Request("m"))
    reader.feed(CHAT_BEGIN + chat("hello") + hiding("x"))
    with pytest.raises(UpstreamGarbled):
        reader.feed(hiding("choices"))


@given(STREAMS)
def test_a_stream_read_by_templates_is_the_stream_read_in_full(stream: tuple[Dialect, bytes, list[bytes]]) -> None:
    dialect, begin, frames = stream
    request = Request("m")
    by_templates, in_full = dialect.reader(request), dialect.reader(request)
    for frame in [begin, *frames]:
        in_full._template = None  # type: ignore[attr-defined]
        assert told(by_templates.feed(frame)) == told(in_full.feed(frame))


@given(STREAMS)
def test_a_stream_written_by_moulds_says_the_same(stream: tuple[Dialect, bytes, list[bytes]]) -> None:
    dialect, begin, frames = stream
    request = Request("m")
    reader, writer, again = dialect.reader(request), dialect.writer(request), dialect.reader(request)
    texts, heard = "", ""
    for frame in [begin, *frames]:
        events = reader.feed(frame)
        changed: list[Event] = [
            BlockDelta(e.text.swapcase(), source=e.source) if isinstance(e, BlockDelta) else e for e in events
        ]
        texts += "".join(e.text for e in changed if isinstance(e, BlockDelta))
        heard += "".join(e.text for e in again.feed(writer.write(changed)) if isinstance(e, BlockDelta))
    assert heard == texts
