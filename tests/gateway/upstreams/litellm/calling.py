"""Calls through the upstream, as the pipeline would make them."""

from typing import Any

import orjson

from gateway.upstreams.base import Outgoing
from gateway.upstreams.litellm.upstream import LitellmUpstream

SECRET = "sk-of-the-provider"


def upstream(shape: str, url: str, **how: Any) -> LitellmUpstream:
    return LitellmUpstream("prov", shape, url.removesuffix("/v1") if shape == "anthropic" else url, SECRET, **how)


def gemini(url: str, **how: Any) -> LitellmUpstream:
    return LitellmUpstream("prov", "gemini", url, SECRET, **how)


def chat(script: str = "say hi", **fields: Any) -> Outgoing:
    body = {"model": "demo/script", "messages": [{"role": "user", "content": script}], **fields}
    return Outgoing("POST", "/chat/completions", [], orjson.dumps(body), bool(fields.get("stream")))


async def refused(there: LitellmUpstream, request: Outgoing) -> tuple[int, dict[str, str], str]:
    async with there.send(request) as answer:
        return answer.status, dict(answer.headers), orjson.loads(await answer.read())["error"]["message"]
