"""The ASGI lifespan protocol, which uvicorn speaks and Django does not."""

from typing import Any

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable


async def lifespan(scope: Any, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """Confirms start and stop; it has nothing to set up, since Django is ready once it is imported."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        else:
            await send({"type": "lifespan.shutdown.complete"})
            return
