"""What Gemini's API answers, by its documentation: one JSON body, or the same in server-sent events."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

Json = dict[str, Any]
MODEL = "gemini-2.5-flash"
USAGE = {"promptTokenCount": 7, "candidatesTokenCount": 5, "totalTokenCount": 15, "thoughtsTokenCount": 3}
TOOL = {"functionCall": {"name": "look", "args": {"at": "moon"}}}


class Gemini:
    """Answers each call with `turns`, the parts of one event each; `asked` is what it was asked.

    With `breaks` the connection closes before the end of a stream.
    """

    def __init__(self, *turns: list[Json], breaks: bool = False, status: int = 200) -> None:
        self.asked: list[web.BaseRequest] = []
        self.bodies: list[Json] = []
        self._turns = turns
        self._breaks = breaks
        self._status = status

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        self.asked.append(request)
        self.bodies.append(json.loads(await request.read()))
        if self._status >= 400:
            error = {"code": self._status, "message": "Quota exceeded for x.", "status": "RESOURCE_EXHAUSTED"}
            return web.json_response({"error": error}, status=self._status, headers={"retry-after": "9"})
        if ":streamGenerateContent" not in request.path:
            whole = [part for turn in self._turns for part in turn]
            return web.json_response(_answer(whole, "STOP"))
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        for place, turn in enumerate(self._turns, 1):
            finish = "STOP" if place == len(self._turns) and not self._breaks else None
            await response.write(b"data: " + json.dumps(_answer(turn, finish)).encode() + b"\r\n\r\n")
        if self._breaks and request.transport is not None:
            request.transport.close()
        return response


def _answer(parts: list[Json], finish: str | None) -> Json:
    candidate: Json = {"content": {"parts": parts, "role": "model"}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    return {"candidates": [candidate], "usageMetadata": USAGE, "modelVersion": MODEL, "responseId": "resp-1"}
