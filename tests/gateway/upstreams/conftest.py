import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest
from aiohttp import web

from tests.plugins import forked
from tests.plugins.forked import ROOT

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
Serve = Callable[[Handler], contextlib.AbstractAsyncContextManager[str]]


@pytest.fixture(scope="module")
def demo_url() -> Iterator[str]:
    """The base URL of a demo provider in a process of its own."""
    reader, writer = os.pipe()
    process = forked.start(ROOT / "manage.py", "demo_provider", "--port", "0", env=os.environ, stdout=writer, stderr=2)
    os.close(writer)
    with os.fdopen(reader) as printed:
        yield printed.readline().strip()
        process.terminate()
        assert process.wait(60) == 0


@pytest.fixture
def serve() -> Serve:
    """Serves a handler on a free port; gives its URL."""

    @contextlib.asynccontextmanager
    async def serving(handler: Handler) -> AsyncIterator[str]:
        runner = web.ServerRunner(web.Server(handler, access_log=None), shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            host, port = runner.addresses[0][:2]
            yield f"http://{host}:{port}"
        finally:
            await runner.cleanup()

    return serving
