"""How much may be asked in a minute, an hour or a day."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from policies.base import Call, Policy
from policies.content import Request
from policies.counting import Limit, Rolling
from policies.examples import Example
from policies.limiting.counters import By, expected, remember, settle, tokens, told, whose
from policies.testing import request
from policies.verdicts import Verdict, allow, refuse

SECONDS = {"minute": 60, "hour": 3600, "day": 86400}


class RateLimit(Policy):
    """Limits the requests and tokens of any minute, hour or day, for each key, team, model or session.

    Whoever is over the limit gets the dialect's own 429 with the seconds after which there is room again. Tokens are
    set aside by an estimate when a call begins, and set right by what its provider tells when it ends.
    """

    category = "limits"
    examples = (
        Example("A request within the limit", request("Hello."), "allow", config={"requests": 1}),
        Example("More tokens than are left", request("Hello."), "refuse", config={"tokens": 500}),
    )

    class Config(Policy.Config):
        requests: int | None = Field(None, ge=0, description="The most requests; empty for any number.")
        tokens: int | None = Field(
            None, ge=0, description="The most tokens of requests and answers, cached ones included; empty for any."
        )
        per: Literal["minute", "hour", "day"] = Field("minute", description="In any stretch of time of this length.")
        by: tuple[By, ...] = Field(
            ("key",), description="Each of these counts for itself; with several, each combination does."
        )
        answer_tokens: int = Field(
            1000,
            ge=0,
            description="How many tokens of an answer are set aside while it is not there yet, if it may be that long.",
        )

        @model_validator(mode="after")
        def _limits_something(self) -> Self:
            if self.requests is None and self.tokens is None:
                raise ValueError("set a limit for requests, for tokens, or for both")
            return self

    config: Config

    def overrides(self, hook: str) -> bool:
        return super().overrides(hook) and (hook != "on_end" or self.config.tokens is not None)

    async def on_request(self, request: Request, call: Call) -> Verdict:
        if call.only_counts:
            return allow()
        count = await call.count(*self._limits(request, call))
        if count.full is None:
            remember(call, count)
            return allow()
        config = self.config
        reason = f"more than {count.full.most} {count.full.name} a {config.per}{told(config.by)}"
        return refuse(429, reason, count.retry_after)

    async def on_end(self, call: Call, outcome: str) -> None:
        await settle(call, tokens=tokens(call.usage))

    def _limits(self, request: Request, call: Call) -> list[Limit]:
        config, window = self.config, Rolling(SECONDS[self.config.per])
        of, limits = whose(config.by, request, call), []
        if config.requests is not None:
            limits.append(Limit("requests", config.requests, window, of=of))
        if config.tokens is not None:
            taken = tokens(expected(request, config.answer_tokens))
            limits.append(Limit("tokens", config.tokens, window, taken, of))
        return limits
