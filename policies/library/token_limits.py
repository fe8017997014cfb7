"""How long requests, answers and conversations may be."""

from __future__ import annotations

import dataclasses
from typing import Literal, Self

from pydantic import Field, model_validator

from policies import estimates
from policies.base import Call, Policy
from policies.content import Request
from policies.examples import Example
from policies.testing import request
from policies.verdicts import Verdict, allow, refuse, replace

TOO_LONG = "context_length_exceeded"


class TokenLimits(Policy):
    """Limits the tokens of a request, those that its answer may have, and both together.

    A request's tokens are estimated, a little high. One that is too long is refused with the error by which clients
    notice that a conversation has to be shortened; an answer that may get too long is limited by `max_tokens`.
    """

    category = "limits"
    examples = (
        Example("A short request", request("Hello."), "allow", config={"max_request": 1000}),
        Example("A request that is too long", request("Hello. " * 100), "refuse", config={"max_request": 100}),
        Example("An answer without a limit gets one", request("Hello."), "replace", "Hello.", {"max_answer": 4096}),
    )

    class Config(Policy.Config):
        max_request: int | None = Field(None, ge=1, description="The most tokens of a request; empty for any number.")
        max_answer: int | None = Field(
            None, ge=1, description="The most tokens that an answer may have; empty for any."
        )
        max_context: int | None = Field(
            None, ge=1, description="The most tokens of a request and its answer together; empty for any number."
        )
        longer_answer: Literal["lower", "refuse"] = Field(
            "lower", description="Where more is asked for than an answer may have: lower it, or refuse the request."
        )

        @model_validator(mode="after")
        def _limits_something(self) -> Self:
            if self.max_request is None and self.max_answer is None and self.max_context is None:
                raise ValueError("set at least one limit")
            return self

    config: Config

    async def on_request(self, request: Request, call: Call) -> Verdict:
        if call.only_counts:
            return allow()
        config = self.config
        length = estimates.tokens(request) if config.max_request or config.max_context else 0
        if config.max_request is not None and length > config.max_request:
            return _too_long(length, config.max_request)
        most = config.max_answer
        if config.max_context is not None:
            left = config.max_context - length
            if left < 1:
                return _too_long(length, config.max_context)
            most = left if most is None else min(most, left)
        return self._answer(request, most)

    def _answer(self, request: Request, most: int | None) -> Verdict:
        asked = request.max_tokens
        if most is None or (asked is not None and asked <= most):
            return allow()
        if self.config.longer_answer == "refuse" and asked is not None:
            return refuse(400, f"an answer of {asked} tokens is asked for, and {most} are allowed")
        shorter = dataclasses.replace(request, max_tokens=most)
        return replace(shorter, f"the answer may have {most} tokens" + (f", not {asked}" if asked is not None else ""))


def _too_long(length: int, most: int) -> Verdict:
    return refuse(400, f"the request has about {length} tokens, and {most} are allowed", code=TOO_LONG)
