"""What may be spent in a day, a week or a month."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from policies.base import Call, Policy
from policies.content import Request
from policies.counting import Calendar, Count, Limit
from policies.examples import Example
from policies.limiting.counters import expected, remember, settle, tokens, told, whose
from policies.testing import request
from policies.verdicts import Verdict, allow, refuse

_MICRO = 1_000_000


class Budget(Policy):
    """Limits what each key, team or model may spend, in dollars or in tokens, in a day, a week or a month (UTC).

    From a share of the budget on, calls leave a note; when it is spent they get the dialect's own 429, and are told not
    to try again by themselves. What a call may cost is set aside when it begins, and set right when it ends.
    """

    category = "limits"
    examples = (
        Example("Some of the budget is left", request("Hello."), "allow", config={"tokens": 100_000}),
        Example("Not enough is left", request("Hello."), "refuse", config={"tokens": 500}),
    )

    class Config(Policy.Config):
        dollars: float | None = Field(None, ge=0, description="The most money, by list prices; empty for any amount.")
        tokens: int | None = Field(None, ge=0, description="The most tokens, cached ones included; empty for any.")
        per: Literal["day", "week", "month"] = Field(
            "month", description="A day, a week from Monday on, or a month, by UTC."
        )
        by: tuple[Literal["key", "team", "model"], ...] = Field(
            ("key",),
            description="Each of these has this budget; with several, each combination has. None: all share it.",
        )
        warn_at: float = Field(
            0.8, ge=0, le=1, description="From this share of the budget on, each call leaves a note."
        )
        answer_tokens: int = Field(
            1000,
            ge=0,
            description="How many tokens of an answer are set aside while it is not there yet, if it may be that long.",
        )
        unpriced: Literal["refuse", "allow"] = Field(
            "refuse", description="What becomes of calls for models without a known price, where dollars are limited."
        )

        @model_validator(mode="after")
        def _limits_something(self) -> Self:
            if self.dollars is None and self.tokens is None:
                raise ValueError("set a limit in dollars, in tokens, or in both")
            return self

    config: Config

    async def on_request(self, request: Request, call: Call) -> Verdict:
        if call.only_counts:
            return allow()
        limits = await self._limits(request, call)
        if limits is None:
            return refuse(403, "no price of this model is known, so that no budget can pay for it")
        count = await call.count(*limits)
        if count.full is not None:
            return refuse(429, self._spent(count.full), count.retry_after)
        remember(call, count)
        self._warn(count, limits, call)
        return allow()

    async def on_end(self, call: Call, outcome: str) -> None:
        await settle(call, tokens=tokens(call.usage), dollars=call.cost or 0)

    async def _limits(self, request: Request, call: Call) -> list[Limit] | None:
        """None where a price is needed and not known."""
        config, window = self.config, Calendar(self.config.per)
        of, usage, limits = whose(config.by, request, call), expected(request, config.answer_tokens), []
        if config.tokens is not None:
            limits.append(Limit("tokens", config.tokens, window, tokens(usage), of))
        if config.dollars is not None:
            cost = await call.price(request.model, usage)
            if cost is None and config.unpriced == "refuse":
                return None
            limits.append(Limit("dollars", round(config.dollars * _MICRO), window, cost or 0, of))
        return limits

    def _spent(self, limit: Limit) -> str:
        amount = f"{limit.most} tokens" if limit.name == "tokens" else f"${limit.most / _MICRO:,.2f}"
        return f"not enough is left of the budget of {amount} a {self.config.per}{told(self.config.by)}"

    def _warn(self, count: Count, limits: list[Limit], call: Call) -> None:
        for limit in limits:
            share = count.used[limit.name] / limit.most if limit.most else 1.0
            if share >= self.config.warn_at:
                call.note("budget", f"{share:.0%} of the {limit.name} of this {self.config.per} are spent", share)
