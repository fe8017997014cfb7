"""Every client dialect on every real provider that can be reached: text and a tool call, streamed and not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.gateway.running import House, eventually, secret
from tests.live.providers import CLIENTS, TEXT, TOOL, Provider, found
from tests.plugins.live import LiveLuthien, end, migrated
from tests.plugins.real import GIVEN
from tests.plugins.servers import free_port

PATIENCE = 120.0
PROVIDERS = found()
if not PROVIDERS:
    raise pytest.UsageError("There is no provider to ask: set ANTHROPIC_API_KEY, OPENAI_API_KEY or OLLAMA_HOST.")

pytestmark = [
    pytest.mark.xdist_group("live"),
    pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.name),
    pytest.mark.parametrize("path", CLIENTS),
    pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"]),
]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A gateway before the real providers; the key `loud` is under a policy that shouts."""
    folder = tmp_path_factory.mktemp("live")
    folder.chmod(0o700)
    keys = {each.key: GIVEN[each.key] for each in PROVIDERS if each.key}
    server = LiveLuthien(folder, {"DATABASE_URL": migrated("sqlite", folder), "REDIS_URL": "", **keys})
    made = House(server, "", free_port(), {})
    made.apply(
        providers={each.name: each.entry for each in PROVIDERS},
        models=[{"match": each.name, "provider": each.name, "model": each.model} for each in PROVIDERS],
        keys=[{"name": "reader", "key": secret("reader"), "read": True}, {"name": "loud", "key": secret("loud")}],
        policies=[{"name": "shout", "policy": "uppercase"}],
    )
    try:
        server.start()
        yield made
    finally:
        end(server)


async def record_of(house: House, provider: Provider, path: str, prompt: str, stream: bool, tool: bool) -> Any:
    """The record of one call that the provider answered."""
    body = CLIENTS[path](prompt, tool) | {"model": provider.name, "stream": stream}
    headers = {"x-api-key": secret("loud"), "anthropic-version": "2023-06-01"}

    async def answered() -> httpx.Response | None:
        async with httpx.AsyncClient(base_url=house.url, headers=headers, timeout=PATIENCE) as made:
            got = await made.post(path, json=body)
        return None if got.status_code == 503 and "warming up" in got.text else got

    got = await eventually(answered)
    assert got.status_code == 200, got.text
    record = await house.record(got.headers["x-luthien-call-id"])
    assert record["outcome"] == "finished", record["error"]
    assert record["usage"]["input_tokens"] and record["usage"]["output_tokens"]
    assert not provider.key or GIVEN[provider.key] not in str(record)
    return record


async def test_text_is_judged_and_arrives(house: House, provider: Provider, path: str, stream: bool) -> None:
    record = await record_of(house, provider, path, TEXT, stream, tool=False)
    assert "PONG" in str(record["response"]["final"]).upper()
    assert "text" in [block["kind"] for block in record["blocks"]]


async def test_a_tool_call_is_judged_and_arrives(house: House, provider: Provider, path: str, stream: bool) -> None:
    record = await record_of(house, provider, path, TOOL, stream, tool=True)
    assert "look" in [block["name"] for block in record["blocks"] if block["kind"] == "tool_call"]
