import asyncio
from contextlib import aclosing, suppress

import pytest
from aiohttp import web

from gateway.dialects import OPENAI_CHAT
from gateway.errors import UpstreamStalled, UpstreamTruncated, UpstreamUnreachable
from gateway.upstreams.base import Outgoing
from gateway.upstreams.litellm.upstream import LitellmUpstream
from gateway.upstreams.native import Timeouts
from policies.content import Response, Thinking
from policies.events import Event, Failure
from tests.gateway.upstreams.conftest import Serve
from tests.gateway.upstreams.litellm.calling import SECRET, chat, gemini, refused, upstream
from tests.gateway.upstreams.litellm.gemini import MODEL, TOOL, Gemini
from tests.plugins.servers import free_port

TOOLS = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}]
SCRIPT = 'think hm hm\nsay hi there\ntool look {"at": "moon"}\ntool look {"at": "sun"}'

pytestmark = pytest.mark.usefixtures("litellm")
shapes = pytest.mark.parametrize("shape", ["openai", "hosted_vllm", "anthropic"])
streamed_and_not = pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])


async def said(there: LitellmUpstream, request: Outgoing) -> Response:
    """What the answer says, as the pipeline reads it."""
    async with there.send(request) as answer:
        body = await answer.read()
    assert answer.status == 200, body
    assert read(request, body)
    (response,) = OPENAI_CHAT.read_recorded(body, streamed=request.stream)
    return response


def read(request: Outgoing, body: bytes) -> list[Event]:
    """The answer's events, read as strictly as where a policy judges them."""
    if not request.stream:
        return OPENAI_CHAT.read_answer(body)
    reader = OPENAI_CHAT.reader(OPENAI_CHAT.read_request(request.body))
    return [*reader.feed(body), *reader.close()]


@shapes
@streamed_and_not
async def test_thinking_text_and_tools_arrive_whatever_the_provider_speaks(
    shape: str, stream: bool, demo_url: str
) -> None:
    response = await said(upstream(shape, demo_url), chat(SCRIPT, stream=stream, tools=TOOLS))
    assert response.text == "hi there"
    assert [block.text for block in response.blocks if isinstance(block, Thinking)] == ["hm hm"]
    assert [call.arguments for call in response.tool_calls] == [{"at": "moon"}, {"at": "sun"}]
    assert len({call.id for call in response.tool_calls}) == 2
    assert response.stop_reason == "tool_use"
    assert (response.usage.input_tokens, response.usage.output_tokens) == (14, 10)


@streamed_and_not
async def test_geminis_own_format_arrives_too(stream: bool, serve: Serve) -> None:
    stub = Gemini([{"text": "the ", "thought": True}], [{"text": "hi "}], [{"text": "there"}], [TOOL])
    async with serve(stub) as url:
        response = await said(gemini(url), chat(stream=stream, tools=TOOLS, model=MODEL, seed=3, user="me"))
    assert response.text == "hi there"
    assert [call.arguments for call in response.tool_calls] == [{"at": "moon"}]
    assert response.stop_reason == "tool_use"
    assert response.usage.output_tokens == 8
    assert stub.asked[0].headers["x-goog-api-key"] == SECRET
    assert stub.bodies[0]["contents"] == [{"role": "user", "parts": [{"text": "say hi"}]}]
    assert stub.bodies[0]["tools"][0]["function_declarations"][0]["name"] == "look"


async def test_what_the_provider_was_not_told_stands_in_a_header(serve: Serve) -> None:
    async with serve(Gemini([{"text": "hi"}])) as url, gemini(url).send(chat(model=MODEL, user="me", x=1)) as answer:
        assert dict(answer.headers)["x-luthien-dropped"] == "user, x"


@streamed_and_not
async def test_geminis_errors_keep_their_status(stream: bool, serve: Serve) -> None:
    async with serve(Gemini(status=429)) as url:
        status, headers, message = await refused(gemini(url), chat(stream=stream, model=MODEL))
    assert (status, headers["retry-after"], message) == (429, "9", "Quota exceeded for x.")


async def test_a_gemini_that_breaks_off_is_cut(serve: Serve) -> None:
    async with serve(Gemini([{"text": "hi "}], [{"text": "the"}], breaks=True)) as url:
        with pytest.raises(UpstreamTruncated):
            await said(gemini(url), chat(stream=True, model=MODEL))


@shapes
@streamed_and_not
@pytest.mark.parametrize("status", [400, 401, 429, 500, 529])
async def test_an_error_before_the_first_byte_stays_what_it_is(
    shape: str, stream: bool, status: int, demo_url: str
) -> None:
    got, headers, message = await refused(upstream(shape, demo_url), chat(f"error {status}", stream=stream))
    assert (got, message) == (status, f"The script asked for status {status}.")
    assert headers.get("retry-after") == ("1" if status in (429, 529) else None)


@shapes
async def test_an_error_in_mid_stream_is_one_of_the_stream(shape: str, demo_url: str) -> None:
    request = chat("say some words\nfail", stream=True)
    async with upstream(shape, demo_url).send(request) as answer:
        events = read(request, await answer.read())
    failures = [event for event in events if isinstance(event, Failure)]
    assert [failure.message.rstrip(".") for failure in failures] == ["The script failed here"]
    assert events[-1] is failures[0]


@shapes
async def test_a_stream_without_its_end_is_cut(shape: str, demo_url: str) -> None:
    with pytest.raises(UpstreamTruncated):
        await said(upstream(shape, demo_url), chat("say some words\ncut", stream=True))


@shapes
async def test_equal_chunks_may_come_as_often_as_they_like(shape: str, demo_url: str) -> None:
    assert (await said(upstream(shape, demo_url), chat("repeat 300 x", stream=True))).text == "x" * 300


@shapes
@streamed_and_not
async def test_a_host_that_is_not_there_is_named(shape: str, stream: bool) -> None:
    with pytest.raises(UpstreamUnreachable, match="The provider prov cannot be reached"):
        await refused(upstream(shape, f"http://127.0.0.1:{free_port()}"), chat(stream=stream))


@shapes
async def test_each_phase_has_its_time(shape: str, demo_url: str) -> None:
    slow_to_begin = upstream(shape, demo_url, timeouts=Timeouts(connect=0.1, first_byte=0.1))
    with pytest.raises(UpstreamStalled, match="did not begin to answer within 0.1 s"):
        await said(slow_to_begin, chat("pause 3600\nsay hi"))
    slow_to_go_on = upstream(shape, demo_url, timeouts=Timeouts(idle=0.2))
    with pytest.raises(UpstreamStalled, match="sent nothing for 0.2 s in the middle"):
        await said(slow_to_go_on, chat("say hi\npause 3600\nsay hi", stream=True))


@pytest.mark.parametrize("shape", ["openai", "anthropic", "gemini"])
async def test_who_leaves_in_mid_stream_ends_the_call_at_the_provider(shape: str, serve: Serve) -> None:
    gone = asyncio.Event()
    first = {
        "openai": b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m",'
        b'"choices":[{"index":0,"delta":{"role":"assistant","content":"hi"},"finish_reason":null}]}\n\n',
        "anthropic": b'event: message_start\ndata: {"type":"message_start","message":{"id":"m","type":"message",'
        b'"role":"assistant","content":[],"model":"m","usage":{"input_tokens":1,"output_tokens":1}}}\n\n'
        b'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":'
        b'{"type":"text","text":"hi"}}\n\nevent: content_block_delta\ndata: {"type":"content_block_delta","index":0,'
        b'"delta":{"type":"text_delta","text":"hi"}}\n\n',
        "gemini": b'data: {"candidates":[{"content":{"parts":[{"text":"hi"}],"role":"model"},"index":0}]}\r\n\r\n',
    }[shape]

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        with suppress(ConnectionError):
            while True:
                await response.write(first)
                await asyncio.sleep(0.01)
        gone.set()
        return response

    async with serve(handle) as url:
        there = gemini(url) if shape == "gemini" else upstream(shape, url)
        async with there.send(chat(stream=True, model=MODEL)) as answer, aclosing(answer.chunks()) as chunks:
            assert b"hi" in await anext(chunks)
        await asyncio.wait_for(gone.wait(), 60)


async def test_who_leaves_before_the_head_ends_the_call_at_the_provider(serve: Serve) -> None:
    asked, gone = asyncio.Event(), asyncio.Event()

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        asked.set()
        # aiohttp cancels no handler where nobody waits any more; it only stops taking bytes.
        transport, pause = request.transport, asyncio.Event()
        assert transport is not None
        while not transport.is_closing():
            with suppress(TimeoutError):
                await asyncio.wait_for(pause.wait(), 0.01)
        gone.set()
        return web.Response()

    async with serve(handle) as url:
        call = asyncio.create_task(refused(upstream("openai", url), chat()))
        await asyncio.wait_for(asked.wait(), 60)
        call.cancel()
        await asyncio.wait_for(gone.wait(), 60)


async def test_it_carries_calls_and_nothing_else(demo_url: str) -> None:
    with pytest.raises(UpstreamUnreachable, match="carries nothing but calls"):
        await refused(upstream("openai", demo_url), Outgoing("GET", "/models", [], b"", stream=False))
