"""The ASGI lifespan protocol, which uvicorn speaks and Django does not: what a gateway process starts and stops."""

import gc
from typing import Any

import structlog
from asgiref.sync import sync_to_async
from asgiref.typing import ASGIReceiveCallable, ASGISendCallable

from gateway import counting, directory, fetching, stopping
from observability import activity
from observability.recording import writer
from observability.sealing import sealer
from observability.search import indexer

log = structlog.get_logger(__name__)


async def lifespan(scope: Any, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """Loads what calls need and starts what writes, seals and indexes the record; at the end, writes what is queued."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await directory.start()
            boot_id = writer.current().boot_id
            sealer.start()
            index = indexer.of_gateway(boot_id, is_busy=stopping.is_any_under_way)
            index.start()
            activity.start()
            _spare_the_collector()
            await send({"type": "lifespan.startup.complete"})
        else:
            await activity.stop()
            await directory.stop()
            await counting.stop()
            await fetching.stop()
            await sync_to_async(index.stop, thread_sensitive=False)()
            if not await sync_to_async(writer.stop, thread_sensitive=False)():
                log.critical("the process ends before everything is on record")
            await sync_to_async(sealer.stop, thread_sensitive=False)()
            await send({"type": "lifespan.shutdown.complete"})
            return


def _spare_the_collector() -> None:
    """What is loaded by now stays for good: the garbage collector need not walk through it in the middle of a call."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)
