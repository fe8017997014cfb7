"""Calls through litellm: OpenAI's bytes in, OpenAI's bytes out, whatever the provider speaks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any

import orjson

from gateway.errors import GatewayError, UpstreamStalled, UpstreamUnreachable
from gateway.upstreams.base import Answer, Headers, Outgoing
from gateway.upstreams.litellm import answering, asking, failures, library
from gateway.upstreams.litellm.answers import StreamedAnswer, WholeAnswer
from gateway.upstreams.native import Timeouts

DROPPED = "x-luthien-dropped"
"""The answer's header that names the request's fields which the provider was not told."""
_NO_KEY = "none"
"""Stands for a credential where there is none: litellm would go and look for one."""
_MOST_MODELS = 1000
_JSON = ("content-type", "application/json")
_EVENTS = ("content-type", "text/event-stream; charset=utf-8")


class LitellmUpstream:
    """One provider. `name` is what litellm calls it; `options` are further arguments, such as a region."""

    def __init__(
        self,
        provider: str,
        name: str,
        base_url: str = "",
        api_key: str = "",
        extra_headers: Headers | None = None,
        options: dict[str, str] | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        self.provider = provider
        self._name = name
        self._secret = api_key
        self._timeouts = timeouts or Timeouts()
        self._fixed: dict[str, Any] = {
            **(options or {}),
            "custom_llm_provider": name,
            "api_key": api_key or _NO_KEY,
            "api_base": base_url or None,
            "extra_headers": dict(extra_headers or []) or None,
            "num_retries": 0,
            "max_retries": 0,
            "drop_params": True,
            "no-log": True,
        }
        self._known: dict[str, Collection[str] | None] = {}

    @asynccontextmanager
    async def send(self, outgoing: Outgoing) -> AsyncIterator[Answer]:
        litellm = library.loaded(self.provider)
        answer = await self._head(litellm, outgoing)
        try:
            yield answer
        finally:
            await answer.close()

    async def close(self) -> None:
        """litellm keeps the connections of all providers together."""

    async def _head(self, litellm: Any, outgoing: Outgoing) -> WholeAnswer | StreamedAnswer:
        waits = self._timeouts
        try:
            async with asyncio.timeout(waits.connect + waits.first_byte):
                return await self._ask(litellm, outgoing)
        except TimeoutError:
            raise UpstreamStalled(
                f"The provider {self.provider} did not begin to answer within {waits.first_byte:g} s."
            ) from None
        except GatewayError:
            raise
        except Exception as error:
            told = failures.told(self.provider, error, self._secret)
            return WholeAnswer(told.status, told.headers, told.body)

    async def _ask(self, litellm: Any, outgoing: Outgoing) -> WholeAnswer | StreamedAnswer:
        match outgoing.method, outgoing.path.partition("?")[0]:
            case "POST", "/chat/completions":
                return await self._complete(litellm, outgoing.body)
            case "POST", "/embeddings":
                return await self._embed(litellm, outgoing.body)
        raise UpstreamUnreachable(
            f"The provider {self.provider} is reached through litellm, which carries nothing but calls: try one."
        )

    async def _complete(self, litellm: Any, body: bytes) -> WholeAnswer | StreamedAnswer:
        asked = asking.completion(body, await self._supported(litellm, asking.model_name(orjson.loads(body))))
        opened: list[Any] = []
        library.opened.set(opened)
        arguments = {**asked.arguments, **self._fixed, "model": asked.model, "_skip_mcp_handler": True}
        made = await litellm.acompletion(**arguments, timeout=self._patience())
        if not asked.arguments.get("stream"):
            return WholeAnswer(200, _headers(_JSON, asked), answering.completion(made.model_dump(exclude_none=True)))
        if made.completion_stream is None:
            # Some providers are asked only when the first chunk is: then no status would be known before it.
            await made.fetch_stream()
        head = _headers(_EVENTS, asked)
        return StreamedAnswer(self.provider, made, opened, head, self._timeouts.idle, self._secret)

    async def _embed(self, litellm: Any, body: bytes) -> WholeAnswer:
        asked = asking.embedding(body)
        made = await litellm.aembedding(**asked.arguments, **self._fixed, model=asked.model, timeout=self._patience())
        wanted = orjson.loads(body).get("encoding_format") or "float"
        return WholeAnswer(200, _headers(_JSON, asked), answering.embedding(made.model_dump(), wanted))

    async def _supported(self, litellm: Any, model: str) -> Collection[str] | None:
        """The fields that `model` takes. In a thread, because some providers are asked what their model can do."""
        if model not in self._known:
            if len(self._known) >= _MOST_MODELS:
                self._known.clear()
            self._known[model] = await asyncio.to_thread(litellm.get_supported_openai_params, model, self._name)
        return self._known[model]

    def _patience(self) -> Any:
        """litellm's own timeout, longer than ours, which know the phases apart, but for that of connecting."""
        import httpx

        waits = self._timeouts
        return httpx.Timeout(waits.connect + waits.first_byte + waits.idle, connect=waits.connect)


def _headers(content_type: tuple[str, str], asked: asking.Asked) -> Headers:
    return [content_type, *([(DROPPED, ", ".join(asked.dropped))] if asked.dropped else [])]
