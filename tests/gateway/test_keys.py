"""Each kind of key before each endpoint: what the table says. An endpoint without a row is a failure."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from gateway import api as gateway_api
from observability.api import api as debug_api
from tests.gateway.running import ANTHROPIC, House, ask, client

KEYS = ("", "plain", "reader", "research-reader")
"""None; one that calls models; one that reads all records; one that reads those of another team."""
MODELS, RECORDS, A_RECORD = (401, 200, 403, 403), (401, 403, 200, 200), (401, 403, 200, 404)
SAID: dict[str, Any] = {"model": "demo/echo", "max_tokens": 9, "messages": [{"role": "user", "content": "Hello"}]}

TABLE: dict[str, tuple[str, Any, tuple[int, ...]]] = {
    "v1/messages": ("POST", SAID, MODELS),
    "v1/messages/count_tokens": ("POST", {**SAID, "model": "demo/script"}, MODELS),
    "v1/chat/completions": ("POST", {**SAID, "model": "chat/script"}, MODELS),
    "v1/responses": ("POST", {"model": "chat/script", "input": "Hello"}, MODELS),
    "v1/embeddings": ("POST", {"model": "embed", "input": "Hello"}, MODELS),
    # To see which models there are is no call.
    "v1/models": ("GET", None, (401, 200, 200, 200)),
    "v1/anything": ("POST", SAID, (404, 404, 404, 404)),
    "debug/calls": ("GET", None, RECORDS),
    "debug/calls/{id}": ("GET", None, A_RECORD),
    "debug/calls/{id}/diff": ("GET", None, A_RECORD),
    "activity/stream": ("GET", None, RECORDS),
}


def test_every_endpoint_has_a_row() -> None:
    served = {f"v1{path}" for path in _paths(gateway_api.api)} | {f"debug{path}" for path in _paths(debug_api)}
    assert served <= set(TABLE)


def _paths(api: Any) -> list[str]:
    return [path for _, router in api._routers for path in router.path_operations]


@pytest.mark.parametrize("key", KEYS, ids=["no key", "a key that calls", "a key that reads", "a key of another team"])
async def test_it_gets_what_the_table_says(house: House, key: str) -> None:
    made = (await ask(house, "plain", ANTHROPIC, "say hello")).headers["x-luthien-call-id"]
    await house.record(made)
    found: dict[str, tuple[int, int]] = {}
    async with client(house, key) as asking:
        if not key:
            del asking.headers["x-api-key"]
        for path, (method, body, statuses) in TABLE.items():
            status = await _status(asking, method, f"/{path.format(id=made)}", body)
            found[path] = status, statuses[KEYS.index(key)]
    assert {path: both for path, both in found.items() if both[0] != both[1]} == {}


async def _status(asking: httpx.AsyncClient, method: str, path: str, body: Any) -> int:
    """Of an answer whose body, which may have no end, is not waited for."""
    async with asking.stream(method, path, json=body) as answer:
        return answer.status_code
