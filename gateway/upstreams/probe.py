"""Asks a provider something harmless, to see whether it is there and takes our credential."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter

from gateway.errors import UpstreamError
from gateway.upstreams.base import Headers, Outgoing, Upstream

# Old enough that every provider of the dialect knows it; clients send their own.
_HEADERS: Headers = [
    ("anthropic-version", "2023-06-01"),
    ("accept", "application/json"),
    ("accept-encoding", "identity"),
]


@dataclass(frozen=True, slots=True)
class Finding:
    """`text` is a sentence; `seconds` is how long the answer took."""

    ok: bool
    text: str
    seconds: float


async def probe(upstream: Upstream) -> Finding:
    """List the provider's models. Closes `upstream`."""
    began = perf_counter()
    try:
        async with upstream.send(Outgoing("GET", "/models", _HEADERS, b"", stream=False)) as answer:
            status = answer.status
            await answer.read()
        ok, text = _meaning(status)
    except UpstreamError as error:
        ok, text = False, str(error)
    finally:
        await upstream.close()
    return Finding(ok, text, perf_counter() - began)


def _meaning(status: int) -> tuple[bool, str]:
    match status:
        case 200:
            return True, "It answers and takes the credential."
        case 401 | 403:
            return False, f"It answers, and refuses the credential (status {status})."
        case 404 | 405:
            return (
                True,
                f"It answers, but lists no models (status {status}): whether it takes the credential is not known.",
            )
        case 429:
            return True, "It answers that it is asked too often (status 429)."
    return False, f"It answers with status {status}."
