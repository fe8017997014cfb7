"""litellm itself: loaded in the background, because its import takes seconds, and kept from all but carrying calls."""

from __future__ import annotations

import gc
import importlib
import logging
import os
import re
import threading
from collections.abc import Iterator, MutableMapping
from contextvars import ContextVar
from typing import Any

from gateway.errors import Unavailable, UpstreamUnreachable
from gateway.once import Once

log = logging.getLogger(__name__)

_SETTINGS = {
    # Read once, at import: no downloads, no `.env`, nothing fetched for a client, and streams of equal chunks.
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",
    "LITELLM_OFFLINE_MODE": "true",
    "LITELLM_MODE": "PRODUCTION",
    "LITELLM_LOG": "CRITICAL",
    "MAX_IMAGE_URL_DOWNLOAD_SIZE_MB": "0",
    "REPEATED_STREAMING_CHUNK_LIMIT": str(10**12),
}
_LEADS_ELSEWHERE = re.compile(
    r"KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL|BASE|UR[LI]|ENDPOINT|PROFILE|ROLE"
    r"|^(AWS|AZURE|DATABRICKS|GOOGLE|HF|LITELLM|OLLAMA|OPENAI|ANTHROPIC|VERTEX|WATSONX)_"
)
_OURS = re.compile(r"^(LUTHIEN_|DJANGO_|OTEL_|PROMETHEUS_|PYTHON|DATABASE_URL|REDIS_URL)")
_LOGGERS = ("LiteLLM", "LiteLLM Proxy", "LiteLLM Router")
_RETRY_AFTER = 3.0

opened: ContextVar[list[Any]] = ContextVar("opened")
"""The HTTP answers of the call under way: some of litellm's streams cannot be closed otherwise."""

_lock = threading.Lock()
_module: Any = None
_problem = ""


def start() -> None:
    """Begin to load litellm in a thread, once a process."""
    _loading.start()


def loaded(provider: str) -> Any:
    """The module litellm. Raises Unavailable until it is loaded, and UpstreamUnreachable where it cannot be."""
    if _module is not None:
        return _module
    if _problem:
        raise UpstreamUnreachable(f"The provider {provider} needs litellm, which could not be loaded.")
    start()
    raise Unavailable(f"The provider {provider} is warming up: try again in a few seconds.", _RETRY_AFTER)


def load() -> Any:
    """Load litellm now, and return it."""
    global _module
    with _lock:
        if _module is None:
            prepare(os.environ)
            _module = _configured(importlib.import_module("litellm"))
            # It is 200 MB of objects that stay: the collector need not walk through them in the middle of a call.
            gc.freeze()
    return _module


def prepare(environment: MutableMapping[str, str]) -> None:
    """Take out what litellm would use where a provider's row has no credential or address, and set what it reads."""
    for name in list(leading_elsewhere(environment)):
        del environment[name]
    environment.update(_SETTINGS)


def leading_elsewhere(environment: MutableMapping[str, str]) -> Iterator[str]:
    """The variables that could give litellm a credential, or an address to send ours to."""
    return (name for name in environment if _LEADS_ELSEWHERE.search(name.upper()) and not _OURS.match(name))


def _load_logged() -> None:
    global _problem
    try:
        load()
    except Exception as error:
        _problem = type(error).__name__
        log.exception("litellm cannot be loaded; its providers answer nothing")


def _configured(litellm: Any) -> Any:
    for name in _LOGGERS:
        # What it logs quotes bodies.
        logging.getLogger(name).disabled = True
    logging.getLogger("httpx").setLevel(logging.WARNING)
    litellm.suppress_debug_info = True
    litellm.telemetry = False
    litellm.disable_aiohttp_trust_env = True
    litellm.turn_off_message_logging = True
    _watch_transport()
    return litellm


def _watch_transport() -> None:
    """Note each answer in `opened`, and refuse redirects: litellm would carry the credential to whoever they name."""
    import httpx

    transport = importlib.import_module("litellm.llms.custom_httpx.aiohttp_transport").LiteLLMAiohttpTransport
    send = transport.handle_async_request

    async def send_watched(self: Any, request: httpx.Request) -> httpx.Response:
        response: httpx.Response = await send(self, request)
        if response.has_redirect_location:
            await response.aclose()
            raise httpx.RemoteProtocolError("a redirect", request=request)
        opened.get([]).append(response)
        return response

    transport.handle_async_request = send_watched


_loading = Once("litellm", _load_logged)
