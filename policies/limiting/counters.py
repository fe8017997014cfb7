"""Whom a counter is for, and what a call takes of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from policies import estimates
from policies.base import Call
from policies.content import Request, Usage
from policies.counting import Count

By = Literal["key", "team", "model", "session"]
_COUNT = "count"


def whose(by: Iterable[By], request: Request, call: Call) -> str:
    """The name of what has a counter of its own."""
    names: Mapping[By, str] = {"key": call.key, "team": call.team, "model": request.model, "session": call.session}
    return "\0".join(f"{each}={names[each]}" for each in by)


def told(by: Iterable[By]) -> str:
    """How a limit by these is told to whom it hit."""
    names = list(by)
    return f" for this {' and '.join(names)}" if names else " for all together"


def expected(request: Request, answer_tokens: int) -> Usage:
    """What `request` may take, where no more than `answer_tokens` of its answer are set aside before it is there."""
    asked = answer_tokens if request.max_tokens is None else min(request.max_tokens, answer_tokens)
    return Usage(input_tokens=estimates.tokens(request), output_tokens=asked * request.choices)


def tokens(usage: Usage) -> int:
    """All of them, also those that a cache held."""
    return usage.input_tokens + usage.output_tokens + usage.cache_read_tokens + usage.cache_write_tokens


def remember(call: Call, count: Count) -> None:
    """Keep `count` until the call is over."""
    call.state[_COUNT] = count


async def settle(call: Call, **amounts: int) -> None:
    """Set right what was remembered, now that it is known: by names of limits. Raises CountersUnavailable.

    An answer that was cut off may have used more than anybody was told: it never gets anything back.
    """
    count: Count | None = call.state.get(_COUNT)
    if count is not None:
        least = {} if call.usage_is_whole else count.amounts
        await count.settle({name: max(amount, least.get(name, 0)) for name, amount in amounts.items()})
