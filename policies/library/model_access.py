"""Who may use which models."""

from __future__ import annotations

from pydantic import Field

from policies.base import Call, Policy
from policies.content import Request
from policies.examples import Example
from policies.limiting.rules import Rule
from policies.testing import request
from policies.verdicts import Verdict, allow, refuse


class ModelAccess(Policy):
    """Lets keys and teams use only the models that a rule allows them, and none that a rule denies them.

    Everything else is refused with the dialect's own 403, and `/v1/models` does not list it. Without any rule nobody
    may use anything. A model that another policy or a route's fallback chooses is judged too. Put this policy behind
    those that reroute if the model that the client names is not what counts.
    """

    category = "limits"
    examples = (
        Example("A model that everybody may use", request("Hi"), "allow", config={"allow": [{"models": ["demo/*"]}]}),
        Example("A model that is for others", request("Hi"), "refuse", config={"allow": [{"teams": ["research"]}]}),
    )

    class Config(Policy.Config):
        allow: tuple[Rule, ...] = Field((), description="Who may use what: a call is allowed if any of these matches.")
        deny: tuple[Rule, ...] = Field((), description="Who may not use what, even if it is allowed above.")

    config: Config

    async def on_request(self, request: Request, call: Call) -> Verdict:
        if self.offers(request.model, call.key, call.team):
            return allow()
        return refuse(403, "this key may not use this model")

    def offers(self, model: str, key: str, team: str) -> bool:
        allowed = any(rule.is_for(model, key, team) for rule in self.config.allow)
        return allowed and not any(rule.is_for(model, key, team) for rule in self.config.deny)
