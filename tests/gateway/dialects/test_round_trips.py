"""Whatever is said is read back as it was written, streamed and not."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.dialects import ANTHROPIC, OPENAI_CHAT, OPENAI_RESPONSES, Dialect
from policies.content import Response
from policies.events import fold, response_events
from tests.gateway.dialects.contents import anthropic_responses, chat_responses, responses_responses
from tests.streams import request_for

REQUEST = request_for("any")
chunk_sizes = st.integers(1, 200)


def streamed(dialect: Dialect, response: Response, size: int) -> Response:
    writer, reader = dialect.writer(REQUEST), dialect.reader(REQUEST)
    stream = b"".join(writer.write([event]) for event in response_events(response))
    events = [event for at in range(0, len(stream), size) for event in reader.feed(stream[at : at + size])]
    return fold(events + reader.close())


def whole(dialect: Dialect, response: Response) -> Response:
    return fold(dialect.read_answer(dialect.write_answer(list(response_events(response)))))


@given(anthropic_responses, chunk_sizes)
@settings(deadline=None)
def test_an_anthropic_stream_says_what_was_written(response: Response, size: int) -> None:
    assert streamed(ANTHROPIC, response, size) == response


@given(anthropic_responses)
@settings(deadline=None)
def test_an_anthropic_answer_says_what_was_written(response: Response) -> None:
    assert whole(ANTHROPIC, response) == response


@given(chat_responses(), chunk_sizes)
@settings(deadline=None)
def test_a_chat_stream_says_what_was_written(response: Response, size: int) -> None:
    assert streamed(OPENAI_CHAT, response, size) == response


@given(chat_responses())
@settings(deadline=None)
def test_a_chat_answer_says_what_was_written(response: Response) -> None:
    assert whole(OPENAI_CHAT, response) == response


@given(responses_responses(), chunk_sizes)
@settings(deadline=None)
def test_a_responses_stream_says_what_was_written(response: Response, size: int) -> None:
    assert streamed(OPENAI_RESPONSES, response, size) == response


@given(responses_responses())
@settings(deadline=None)
def test_a_responses_answer_says_what_was_written(response: Response) -> None:
    assert whole(OPENAI_RESPONSES, response) == response


@given(st.binary(max_size=300), st.booleans())
def test_a_record_of_anything_is_read_without_raising(raw: bytes, is_stream: bool) -> None:
    for dialect in (ANTHROPIC, OPENAI_CHAT, OPENAI_RESPONSES):
        assert isinstance(dialect.read_recorded(raw, is_stream), list)
