"""Whom a call asks: a model's own provider, then its fallbacks, and again where a policy wants another answer."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from gateway import prices
from gateway.calls import Incoming
from gateway.directory import Directory, Target
from gateway.errors import Forbidden, GatewayError, NotFound, RequestBlocked
from policies.content import Usage

MOST_ATTEMPTS = 3
"""Answers that one call may ask for, where policies want another one again and again."""
FALL_BACK_ON = frozenset({429, 500, 502, 503, 504, 529})
"""Statuses by which a provider says that it cannot answer now, so that somebody else may be asked."""


class Attempts:
    """Of one call. `failure` is the first one, of the model's own provider: it is told if nobody answers."""

    def __init__(self, incoming: Incoming, directory: Directory) -> None:
        self.failure: GatewayError | None = None
        self._incoming = incoming
        self._directory = directory
        self._left: list[Target] = []
        self._fallback: Target | None = None
        self._provider = ""
        self._answers = 1
        self._spent: list[tuple[str, Usage]] = []

    def target(self, model: str) -> Target:
        """Where `model` is to be asked for. Raises NotFound if it is not served, Forbidden if not for this client."""
        if self._fallback is not None and self._fallback.model == model:
            return self._fallback
        target = self._directory.target(model)
        if target is None:
            raise NotFound(f"The model {model[:200]} is not served here.", param="model", code="model_not_found")
        if self._incoming.client.credential is not None:
            self._require_own(target)
            return target
        # A count or an embedding of another model would be a wrong answer.
        self._left = [] if self._incoming.judges_only else list(target.fallbacks)
        return target

    def is_failure(self, status: int) -> bool:
        """Whether an answer of that status is none, because others may be asked, or are being asked already.

        A fallback's own refusals (its credential, its limits on the request) say nothing to the client.
        """
        return status >= 400 if self.failure is not None else bool(self._left) and status in FALL_BACK_ON

    def next(self, failure: GatewayError, offered: Callable[[str], bool]) -> Target | None:
        """The fallback to ask after `failure`, of those whose model is `offered` to the client; or None."""
        self.failure = self.failure or failure
        self._fallback = None
        while self._left and self._fallback is None:
            target = self._left.pop(0)
            self._fallback = target if offered(target.model) else None
        return self._fallback

    def again(self, model: str, usage: Usage) -> None:
        """`model` answered, and a policy wants another answer. Raises RequestBlocked where that was the last."""
        self._spent.append((model, usage))
        self.failure = self._fallback = None
        if self._answers == MOST_ATTEMPTS:
            raise RequestBlocked(
                f"Policies asked for another model {MOST_ATTEMPTS} times in a row: this call has no answer."
            )
        self._answers += 1

    def total(self, model: str, usage: Usage) -> tuple[Usage, int | None]:
        """What the call used and cost (micro-dollars), with all answers before `usage`; no price adds no cost."""
        if not self._spent:
            return usage, prices.cost(model, usage)
        spent = [*self._spent, (model, usage)]
        costs = [cost for each in spent if (cost := prices.cost(*each)) is not None]
        return _sum([each for _, each in spent]), sum(costs) if costs else None

    def _require_own(self, target: Target) -> None:
        """A client's own credential is for the provider of the model that it named. Raises Forbidden."""
        self._provider = self._provider or target.provider
        if not self._incoming.client.may_use(target):
            problem = f"The provider {target.provider} takes no credential of your own here"
        elif target.provider != self._provider:
            problem = f"A policy chose a model of {target.provider}, and your credential is for {self._provider}"
        elif not target.speaks(self._incoming.dialect.name):
            problem = f"Your credential is not for {target.provider}, which speaks another dialect"
        else:
            return
        raise Forbidden(f"{problem}: use another model, or a key of this gateway.")


def _sum(usages: Sequence[Usage]) -> Usage:
    fields = [field.name for field in dataclasses.fields(Usage) if field.name != "source"]
    return Usage(**{name: sum(getattr(usage, name) for usage in usages) for name in fields})
