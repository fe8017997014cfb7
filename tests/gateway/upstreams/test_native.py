import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Literal

import orjson
import pytest
from aiohttp import web

from gateway.errors import UpstreamGarbled, UpstreamStalled, UpstreamTruncated, UpstreamUnreachable
from gateway.upstreams import native
from gateway.upstreams.base import Headers, Outgoing
from gateway.upstreams.native import NativeUpstream, Timeouts
from tests.gateway.upstreams.conftest import Serve
from tests.plugins.servers import free_port

Dialect = Literal["anthropic", "openai"]


def outgoing(script: str = "say hi", path: str = "/messages", headers: Headers | None = None, **body: Any) -> Outgoing:
    content = {"model": "demo/script", "messages": [{"role": "user", "content": script}], **body}
    return Outgoing("POST", path, headers or [], orjson.dumps(content), bool(body.get("stream")))


@asynccontextmanager
async def upstream(url: str, dialect: Dialect = "anthropic", **options: Any) -> AsyncIterator[NativeUpstream]:
    native = NativeUpstream("prov", dialect, url, **options)
    try:
        yield native
    finally:
        await native.close()


async def heard(serve: Serve, request: Outgoing, dialect: Dialect = "anthropic", base: str = "", **options: Any) -> Any:
    """What a server hears of `request`: (path with query, headers)."""
    seen: list[tuple[str, list[tuple[str, str]]]] = []

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        seen.append((request.raw_path, [(name.lower(), value) for name, value in request.headers.items()]))
        return web.Response(text="ok")

    async with serve(handle) as url, upstream(url + base, dialect, **options) as there, there.send(request) as answer:
        assert await answer.read() == b"ok"
    return seen[0]


async def test_a_whole_answer_comes_with_status_and_headers(demo_url: str) -> None:
    async with upstream(demo_url) as there, there.send(outgoing("say hi there")) as answer:
        assert answer.status == 200
        assert dict(answer.headers)["request-id"].startswith("req_")
        assert orjson.loads(await answer.read())["content"] == [{"type": "text", "text": "hi there"}]


async def test_both_dialects_find_their_path(demo_url: str) -> None:
    async with upstream(demo_url, "openai") as there, there.send(outgoing(path="/chat/completions")) as answer:
        assert orjson.loads(await answer.read())["choices"][0]["message"]["content"] == "hi"


async def test_a_stream_is_handed_on_as_it_comes(demo_url: str) -> None:
    async with upstream(demo_url) as there, there.send(outgoing("say one\npause 3600\nsay two", stream=True)) as answer:
        chunks = answer.chunks()
        seen = b""
        async with asyncio.timeout(60):
            while b"one" not in seen:
                seen += await anext(chunks)
        assert b"two" not in seen
        await chunks.aclose()


async def test_an_error_of_the_provider_is_an_answer(demo_url: str) -> None:
    async with upstream(demo_url) as there, there.send(outgoing("error 429")) as answer:
        assert answer.status == 429
        assert ("retry-after", "1") in answer.headers
        assert orjson.loads(await answer.read())["error"]["type"] == "rate_limit_error"


async def test_a_cut_stream_is_truncated(demo_url: str) -> None:
    async with upstream(demo_url) as there, there.send(outgoing("say one\ncut", stream=True)) as answer:
        with pytest.raises(UpstreamTruncated, match="prov closed its answer"):
            await answer.read()


async def test_a_cut_body_is_truncated(demo_url: str) -> None:
    async with upstream(demo_url) as there, there.send(outgoing("say one\ncut")) as answer:
        with pytest.raises(UpstreamTruncated):
            await answer.read()


async def test_silence_in_an_answer_is_named_with_its_length(demo_url: str) -> None:
    timeouts = Timeouts(idle=0.2)
    request = outgoing("say one\npause 3600", stream=True)
    async with upstream(demo_url, timeouts=timeouts) as there, there.send(request) as answer:
        with pytest.raises(UpstreamStalled, match=r"prov sent nothing for 0.2 s"):
            await answer.read()


async def test_silence_before_the_head_is_named(demo_url: str) -> None:
    timeouts = Timeouts(first_byte=0.1)
    with pytest.raises(UpstreamStalled, match=r"did not begin to answer within 0.1 s"):
        async with upstream(demo_url, timeouts=timeouts) as there, there.send(outgoing("pause 3600\nsay hi")):
            pass


async def test_nobody_there_is_unreachable() -> None:
    with pytest.raises(UpstreamUnreachable, match="prov could not be reached"):
        async with upstream(f"http://127.0.0.1:{free_port()}") as there, there.send(outgoing()):
            pass


async def test_a_host_that_does_not_exist_is_unreachable() -> None:
    with pytest.raises(UpstreamUnreachable):
        async with upstream("http://nowhere.invalid") as there, there.send(outgoing()):
            pass


async def test_a_connection_closed_before_the_head_is_unreachable(serve: Serve) -> None:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async with serve(handle) as url, upstream(url) as there:
        with pytest.raises(UpstreamUnreachable, match="closed the connection"):
            async with there.send(outgoing()):
                pass


async def test_a_redirect_is_not_followed(serve: Serve) -> None:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=307, headers={"location": "/elsewhere"})

    async with serve(handle) as url, upstream(url) as there:
        with pytest.raises(UpstreamGarbled, match="redirect"):
            async with there.send(outgoing()):
                pass


async def test_an_answer_compressed_unasked_is_decoded_and_its_header_dropped(serve: Serve) -> None:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        assert request.headers["accept-encoding"] == "identity"
        return web.Response(body=gzip.compress(b"plain words"), headers={"content-encoding": "gzip"})

    request = outgoing(headers=[("accept-encoding", "identity")])
    async with serve(handle) as url, upstream(url) as there, there.send(request) as answer:
        assert "content-encoding" not in dict(answer.headers)
        assert await answer.read() == b"plain words"


async def test_an_answer_in_a_coding_we_do_not_know_is_garbled_and_its_call_is_over(serve: Serve) -> None:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=b"?", headers={"content-encoding": "unheard-of"})

    async with serve(handle) as url:
        there = NativeUpstream("prov", "anthropic", url)
        with pytest.raises(UpstreamGarbled):
            async with there.send(outgoing()):
                pass
        await asyncio.wait_for(there.close(), 60)


async def test_a_call_cancelled_before_the_head_closes_its_connection_at_once() -> None:
    begun, gone = asyncio.Event(), asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        begun.set()
        await reader.read()
        gone.set()
        writer.close()

    port = free_port()
    async with await asyncio.start_server(handle, "127.0.0.1", port):
        there = NativeUpstream("prov", "anthropic", f"http://127.0.0.1:{port}")
        call = asyncio.ensure_future(there.send(outgoing()).__aenter__())
        await asyncio.wait_for(begun.wait(), 60)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await asyncio.wait_for(gone.wait(), 60)
        await asyncio.wait_for(there.close(), 60)


async def test_an_answer_of_unbounded_size_is_refused(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "MAX_BODY", 1000)

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=bytes(1001))

    async with serve(handle) as url, upstream(url) as there, there.send(outgoing()) as answer:
        with pytest.raises(UpstreamGarbled, match="64 MiB"):
            await answer.read()


@pytest.mark.parametrize("base", ["", "/", "/v1", "/v1/"])
async def test_anthropics_base_url_may_end_in_v1_or_not(serve: Serve, base: str) -> None:
    path, _ = await heard(serve, outgoing(path="/messages?beta=true&x=%2F+a"), base=base)
    assert path == "/v1/messages?beta=true&x=%2F+a"


async def test_openais_base_url_is_taken_as_it_is(serve: Serve) -> None:
    path, _ = await heard(serve, outgoing(path="/chat/completions"), "openai", "/openai/v1/")
    assert path == "/openai/v1/chat/completions"


async def test_the_credential_goes_on_alone_and_over_what_the_client_sent(serve: Serve) -> None:
    theirs = [("authorization", "Bearer theirs"), ("x-api-key", "theirs")]
    _, headers = await heard(serve, outgoing(headers=theirs), api_key="ours")
    assert [pair for pair in headers if "ours" in pair[1] or "theirs" in pair[1]] == [("x-api-key", "ours")]
    _, headers = await heard(serve, outgoing(headers=theirs), "openai", api_key="ours")
    assert [pair for pair in headers if "ours" in pair[1] or "theirs" in pair[1]] == [("authorization", "Bearer ours")]


async def test_only_what_is_given_is_sent(serve: Serve) -> None:
    _, headers = await heard(
        serve, outgoing(headers=[("x-app", "cli"), ("x-org", "a")]), extra_headers=[("X-Org", "b")]
    )
    assert {name for name, _ in headers} == {"host", "x-app", "x-org", "content-length"}
    assert ("x-org", "b") in headers


async def test_cookies_are_not_kept(serve: Serve) -> None:
    seen: list[str | None] = []

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        seen.append(request.headers.get("cookie"))
        return web.Response(headers={"set-cookie": "a=b"})

    async with serve(handle) as url, upstream(url.replace("127.0.0.1", "localhost")) as there:
        for _ in range(2):
            async with there.send(outgoing()) as answer:
                await answer.read()
    assert seen == [None, None]


async def test_a_socket_is_used_again_once_its_answer_was_read(serve: Serve) -> None:
    sockets: list[object] = []

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        sockets.append(request.transport)
        return web.Response(text="ok")

    async with serve(handle) as url, upstream(url) as there:
        for _ in range(3):
            async with there.send(outgoing()) as answer:
                await answer.read()
    assert len(set(sockets)) == 1


async def test_leaving_an_answer_cancels_it_at_the_provider(serve: Serve) -> None:
    gone = asyncio.Event()

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"begun")
        with suppress(ConnectionError):
            while True:
                await response.write(b"and more")
        gone.set()
        return response

    async with serve(handle) as url, upstream(url) as there:
        async with there.send(outgoing()) as answer:
            await anext(answer.chunks())
        await asyncio.wait_for(gone.wait(), 60)


async def test_closing_waits_for_the_calls_that_are_on(demo_url: str) -> None:
    there = NativeUpstream("prov", "anthropic", demo_url)
    async with there.send(outgoing()) as answer:
        closing = asyncio.create_task(there.close())
        await asyncio.sleep(0)
        assert b"hi" in await answer.read()
        assert not closing.done()
    await asyncio.wait_for(closing, 60)
