"""Another model than the one that a client asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

from pydantic import Field

from policies import estimates
from policies.base import Call, Policy
from policies.content import Image, Request, RequestBlock, ToolResult
from policies.examples import Example
from policies.limiting.rules import Rule
from policies.testing import request
from policies.verdicts import Verdict, allow, reroute

Presence = Literal["any", "with", "without"]


class Detour(Rule):
    """Whose calls go to the model `to`; all conditions have to hold."""

    to: str = Field(min_length=1, description="The model to ask instead, by the name that clients use.")
    min_tokens: int | None = Field(None, ge=0, description="Requests of at least so many tokens, by an estimate.")
    max_tokens: int | None = Field(None, ge=0, description="Requests of at most so many tokens, by an estimate.")
    tools: Presence = Field("any", description="Requests with or without tools.")
    images: Presence = Field("any", description="Requests with or without images.")

    def takes(self, request: Request, call: Call) -> bool:
        return (
            self.is_for(request.model, call.key, call.team)
            and _holds(self.tools, lambda: bool(request.tools))
            and _holds(self.images, lambda: _has_image(request))
            and self._fits(request)
        )

    def _fits(self, request: Request) -> bool:
        if self.min_tokens is None and self.max_tokens is None:
            return True
        length = estimates.tokens(request)
        return (self.min_tokens or 0) <= length and (self.max_tokens is None or length <= self.max_tokens)


class Reroute(Policy):
    """Sends calls to another model than the one that they name, by the first rule that takes them.

    A rule looks at who calls, which model is named, how long the request is, and whether it has tools or images. The
    policies for the other model join those of the model that was named.
    """

    category = "limits"
    examples = (
        Example(
            "A short request goes to a small model",
            request("Hello."),
            "reroute",
            config={"rules": [{"models": ["demo/echo"], "max_tokens": 100, "to": "demo/script"}]},
        ),
        Example("A request that no rule takes", request("Hello."), "allow"),
    )

    class Config(Policy.Config):
        rules: tuple[Detour, ...] = Field((), description="The first of these that takes a call says where it goes.")

    config: Config

    async def on_request(self, request: Request, call: Call) -> Verdict:
        rule = next((rule for rule in self.config.rules if rule.takes(request, call)), None)
        if rule is None or rule.to == request.model:
            return allow()
        return reroute(rule.to, f"a rule sends this call to {rule.to}")


def _holds(wanted: Presence, there: Callable[[], bool]) -> bool:
    return wanted == "any" or there() == (wanted == "with")


def _has_image(request: Request) -> bool:
    return any(_is_image(message.blocks) for message in request.messages)


def _is_image(blocks: Iterable[RequestBlock]) -> bool:
    return any(
        isinstance(block, Image) or (isinstance(block, ToolResult) and _is_image(block.blocks)) for block in blocks
    )
