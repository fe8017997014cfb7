"""The answer to a count of tokens, for models whose provider does not count them."""

from __future__ import annotations

from gateway.dialects.wire_json import dumps
from policies import estimates
from policies.content import Request


def estimate_tokens(request: Request) -> bytes:
    return dumps({"input_tokens": estimates.tokens(request)})
