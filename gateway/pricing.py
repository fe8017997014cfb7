"""What a call would cost, for policies that have to know before it is made."""

from __future__ import annotations

from gateway import directory, prices
from policies.content import Usage


async def price(model: str, usage: Usage) -> int | None:
    """Micro-dollars of `usage` at the model of that public name; None where it is not served or has no price."""
    target = (await directory.current()).target(model)
    if target is None:
        return None
    await prices.wait()
    return prices.cost(target.model, usage)
