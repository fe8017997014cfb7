"""The demo provider as a server of its own."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from contextlib import aclosing

from aiohttp import web

from gateway.upstreams.demo.provider import Reply, reply
from gateway.upstreams.demo.upstream import played


async def serve(host: str, port: int, announce: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM. `announce` is told the base URL once the port is open; port 0 takes a free one."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    runner = web.ServerRunner(web.Server(handle, access_log=None), shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, host, port)
    try:
        await site.start()
        bound: tuple[str, int] = runner.addresses[0][:2]
        announce(f"http://{bound[0]}:{bound[1]}/v1")
        await stop.wait()
    finally:
        await runner.cleanup()


async def handle(request: web.BaseRequest) -> web.StreamResponse:
    headers = list(request.headers.items())
    answer = reply(request.method, request.path_qs.removeprefix("/v1"), headers, await request.content.read())
    if answer.delay:
        await asyncio.sleep(answer.delay)
    return await _send(request, answer)


async def _send(request: web.BaseRequest, answer: Reply) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status, headers=dict(answer.headers))
    response.content_length = answer.length
    await response.prepare(request)
    try:
        async with aclosing(played(answer)) as chunks:
            async for chunk in chunks:
                if chunk is None:
                    _hang_up(request)
                    return response
                await response.write(chunk)
        await response.write_eof()
    except ConnectionError:
        pass
    return response


def _hang_up(request: web.BaseRequest) -> None:
    if request.transport is not None:
        request.transport.close()
