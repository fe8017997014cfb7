"""WhiteNoise for the asynchronous chain; as it comes it is synchronous and would put every page into a thread."""

import asyncio
from collections.abc import Awaitable
from inspect import iscoroutinefunction
from typing import cast

from asgiref.sync import markcoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from whitenoise.middleware import WhiteNoiseMiddleware

from luthien_site.security import AsyncView, SyncView


class StaticFiles(WhiteNoiseMiddleware):
    """Answers what lies under STATIC_URL, and passes everything else on."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: SyncView | AsyncView) -> None:
        super().__init__(get_response)
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if iscoroutinefunction(self.get_response):
            return self._answer_async(request)
        return cast(HttpResponseBase, super().__call__(request))

    async def _answer_async(self, request: HttpRequest) -> HttpResponseBase:
        file = self.find_file(request.path_info) if self.autorefresh else self.files.get(request.path_info)
        if file is None:
            return await cast(AsyncView, self.get_response)(request)
        return await asyncio.to_thread(lambda: _whole(self.serve(file, request)))


def _whole(streamed: HttpResponseBase) -> HttpResponse:
    """The same answer with its body read: a synchronous file iterator would be drained in the event loop."""
    body = b"".join(cast("list[bytes]", streamed)) if streamed.streaming else b""
    response = HttpResponse(body, status=streamed.status_code)
    del response["Content-Type"]
    for name, value in streamed.items():
        response[name] = value
    streamed.close()
    return response
