"""The policies of limits over one set of counters, as calls come and go."""

import asyncio
from typing import Any

import pytest
from pydantic import ValidationError

from policies.base import Call, Policy
from policies.content import Image, Message, Request, Text, Tool, ToolResult, Usage
from policies.counting import Counters, MemoryStore
from policies.library.budget import Budget
from policies.library.model_access import ModelAccess
from policies.library.rate_limit import RateLimit
from policies.library.reroute import Reroute
from policies.library.token_limits import TokenLimits
from policies.testing import judge, new_request, request
from policies.verdicts import Verdict

NOW = 1_000_000_000.0


class World:
    """What the calls of a test share: counters, and prices (micro-dollars a token)."""

    def __init__(self, price: int | None = 1) -> None:
        clock = lambda: NOW  # noqa: E731
        self.counters = Counters(MemoryStore(clock), clock)
        self.price = price
        self.notes: list[tuple[str, str, float | None]] = []

    def call(self, **facts: Any) -> Call:
        async def price(model: str, usage: Usage) -> int | None:
            return None if self.price is None else self.price * (usage.input_tokens + usage.output_tokens)

        on_note = lambda *note: self.notes.append(note)  # noqa: E731
        return Call(key="ci", on_count=self.counters.count, on_price=price, on_note=on_note, **facts)


def rate(**config: Any) -> RateLimit:
    return RateLimit(RateLimit.Config(**config))


def budget(**config: Any) -> Budget:
    return Budget(Budget.Config(**config))


async def finish(policy: Policy, call: Call, used: int, *, whole: bool = True, cost: int | None = None) -> None:
    call.usage, call.usage_is_whole, call.cost = Usage(used), whole, cost
    await policy.on_end(call, "finished")


async def test_requests_are_counted_by_key() -> None:
    world, policy = World(), rate(requests=1)
    assert (await judge(policy, request(), world.call())).action == "allow"
    refused = await judge(policy, request(), world.call())
    assert (refused.action, refused.status) == ("refuse", 429)
    assert refused.reason == "more than 1 requests a minute for this key"
    assert refused.retry_after == pytest.approx(60, abs=6)
    other = world.call()
    other.key = "other"
    assert (await judge(policy, request(), other)).action == "allow"


async def test_calls_side_by_side_never_take_more_than_there_is() -> None:
    world, policy = World(), rate(requests=3, tokens=1_000_000)
    verdicts = await asyncio.gather(*(judge(policy, request(), world.call()) for _ in range(10)))
    assert sum(verdict.action == "allow" for verdict in verdicts) == 3


@pytest.mark.parametrize(
    ("by", "facts", "fresh"),
    [
        (("team",), {"team": "b"}, True),
        (("key",), {"team": "b"}, False),
        (("session",), {"session": "b"}, True),
        (("key", "team"), {"team": "b"}, True),
        ((), {"team": "b", "session": "b"}, False),
    ],
)
async def test_what_has_a_counter_of_its_own(by: tuple[Any, ...], facts: dict[str, str], fresh: bool) -> None:
    world, policy = World(), rate(requests=1, by=by)
    await judge(policy, request(), world.call(team="a", session="a"))
    verdict = await judge(policy, request(), world.call(**{"team": "a", "session": "a", **facts}))
    assert (verdict.action == "allow") is fresh


async def test_a_model_has_a_counter_by_the_name_that_is_asked_for() -> None:
    world, policy = World(), rate(requests=1, by=("model",))
    assert (await judge(policy, request(model="a"), world.call())).action == "allow"
    assert (await judge(policy, request(model="b"), world.call())).action == "allow"
    assert (await judge(policy, request(model="b"), world.call())).action == "refuse"


async def test_tokens_are_set_aside_and_set_right_at_the_end() -> None:
    world, policy = World(), rate(tokens=1_010)
    first = world.call()
    assert (await judge(policy, request(), first)).action == "allow"
    assert (await judge(policy, request(), world.call())).action == "refuse"
    await finish(policy, first, 4)
    assert (await judge(policy, request(), world.call())).action == "allow"


async def test_an_answer_that_was_cut_off_gets_nothing_back() -> None:
    world, policy = World(), rate(tokens=1_010)
    first = world.call()
    await judge(policy, request(), first)
    await finish(policy, first, 4, whole=False)
    assert (await judge(policy, request(), world.call())).action == "refuse"


async def test_an_answer_that_was_cut_off_counts_all_that_was_told_of_it() -> None:
    world, policy = World(), rate(tokens=2_000)
    first = world.call()
    await judge(policy, request(), first)
    await finish(policy, first, 1_500, whole=False)
    assert (await judge(policy, request(), world.call())).action == "refuse"


async def test_the_end_of_a_call_that_was_refused_changes_nothing() -> None:
    world, policy = World(), rate(tokens=10)
    call = world.call()
    assert (await judge(policy, request(), call)).action == "refuse"
    await finish(policy, call, 0)


async def test_no_more_is_set_aside_than_the_client_asks_for() -> None:
    world, policy = World(), rate(tokens=30)
    short = Request("m", (Message("user", (Text("Hi"),)),), max_tokens=10, choices=2)
    assert (await judge(policy, short, world.call())).action == "allow"


@pytest.mark.parametrize("policy", [rate(requests=0), budget(tokens=0), TokenLimits(TokenLimits.Config(max_request=1))])
async def test_a_count_of_tokens_is_free(policy: Policy) -> None:
    assert (await judge(policy, request("Hello."), World().call(only_counts=True))).action == "allow"
    assert (await judge(policy, request("Hello."), World().call())).action == "refuse"


def test_the_end_of_a_call_is_none_of_the_business_of_who_counts_requests() -> None:
    assert "on_end" not in rate(requests=1).hooks
    assert "on_end" in rate(tokens=1).hooks


@pytest.mark.parametrize("policy", [RateLimit, Budget, TokenLimits])
def test_a_limit_has_to_be_set(policy: type[Policy]) -> None:
    with pytest.raises(ValidationError, match="set "):
        policy.Config()


async def test_a_budget_is_spent_by_what_calls_cost() -> None:
    world, policy = World(), budget(dollars=0.01, answer_tokens=100)
    first = world.call()
    assert (await judge(policy, request(), first)).action == "allow"
    await finish(policy, first, 5, cost=9_950)
    refused = await judge(policy, request(), world.call())
    assert (refused.action, refused.status) == ("refuse", 429)
    assert refused.reason == "not enough is left of the budget of $0.01 a month for this key"
    assert refused.retry_after is not None
    assert refused.retry_after > 86_400


async def test_a_budget_in_tokens_is_told_in_tokens() -> None:
    refused = await judge(budget(tokens=5, by=(), per="day"), request(), World().call())
    assert refused.reason == "not enough is left of the budget of 5 tokens a day for all together"


async def test_from_a_share_on_calls_leave_a_note() -> None:
    world, policy = World(), budget(tokens=10_000, warn_at=0.5)
    first = world.call()
    await judge(policy, request(), first)
    await finish(policy, first, 4_000)
    assert world.notes == []
    await judge(policy, request(), world.call())
    ((kind, text, share),) = world.notes
    assert (kind, text) == ("budget", "50% of the tokens of this month are spent")
    assert share == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(("unpriced", "action"), [("refuse", "refuse"), ("allow", "allow")])
async def test_what_has_no_price_is_paid_by_no_budget(unpriced: str, action: str) -> None:
    world = World(price=None)
    verdict = await judge(budget(dollars=0, unpriced=unpriced), request(), world.call())
    assert (verdict.action, verdict.status) == (action, 403 if action == "refuse" else 0)
    assert world.notes == (
        [] if action == "refuse" else [("budget", "100% of the dollars of this month are spent", 1.0)]
    )


def limits(**config: Any) -> TokenLimits:
    return TokenLimits(TokenLimits.Config(**config))


def asking(max_tokens: int | None) -> Request:
    return Request("m", (Message("user", (Text("a" * 21),)),), max_tokens=max_tokens)


@pytest.mark.parametrize(
    ("config", "asked", "given"),
    [
        ({"max_answer": 50}, None, 50),
        ({"max_answer": 50}, 60, 50),
        ({"max_answer": 50}, 50, None),
        ({"max_context": 50}, 60, 40),
        ({"max_context": 50}, 40, None),
        ({"max_context": 50, "max_answer": 30}, 60, 30),
        ({"max_context": 50, "max_answer": 45}, 60, 40),
        ({"max_request": 10}, 60, None),
        ({"max_answer": 50, "longer_answer": "refuse"}, None, 50),
    ],
)
async def test_an_answer_may_be_as_long_as_there_is_room(config: Any, asked: int | None, given: int | None) -> None:
    verdict = await judge(limits(**config), asking(asked))
    assert verdict.action == ("allow" if given is None else "replace")
    assert given is None or new_request(verdict).max_tokens == given


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({"max_request": 9}, "context_length_exceeded"),
        ({"max_context": 10}, "context_length_exceeded"),
        ({"max_answer": 50, "longer_answer": "refuse"}, ""),
    ],
)
async def test_what_is_too_long_is_refused_so_that_clients_know_it(config: Any, code: str) -> None:
    verdict = await judge(limits(**config), asking(60))
    assert (verdict.action, verdict.status, verdict.code) == ("refuse", 400, code)


RESEARCH = {"teams": ["research"], "models": ["claude-*"]}


@pytest.mark.parametrize(
    ("config", "team", "model", "may"),
    [
        ({}, "research", "claude-1", False),
        ({"allow": [RESEARCH]}, "research", "claude-1", True),
        ({"allow": [RESEARCH]}, "", "claude-1", False),
        ({"allow": [RESEARCH]}, "research", "gpt-1", False),
        ({"allow": [RESEARCH, {"models": ["gpt-?"]}]}, "", "gpt-1", True),
        ({"allow": [{}], "deny": [RESEARCH]}, "research", "claude-1", False),
        ({"allow": [{"keys": ["c*"]}]}, "", "any", True),
        ({"allow": [{"keys": []}]}, "", "any", False),
    ],
)
async def test_who_may_use_what(config: Any, team: str, model: str, may: bool) -> None:
    policy = ModelAccess(ModelAccess.Config.model_validate(config))
    verdict = await judge(policy, request(model=model), Call(key="ci", team=team))
    assert verdict == (Verdict("allow") if may else Verdict("refuse", "this key may not use this model", status=403))
    assert policy.offers(model, "ci", team) is may


IMAGE = Request("m", (Message("user", (Text("see"), ToolResult("1", (Image(),)))),))
TOOLS = Request("m", (Message("user", (Text("do"),)),), tools=(Tool("t"),))


@pytest.mark.parametrize(
    ("rule", "asked", "taken"),
    [
        ({}, TOOLS, True),
        ({"models": ["n"]}, TOOLS, False),
        ({"teams": ["t"]}, TOOLS, False),
        ({"tools": "with"}, TOOLS, True),
        ({"tools": "with"}, IMAGE, False),
        ({"tools": "without"}, IMAGE, True),
        ({"images": "with"}, IMAGE, True),
        ({"images": "with"}, TOOLS, False),
        ({"images": "without"}, TOOLS, True),
        ({"min_tokens": 1000}, IMAGE, True),
        ({"min_tokens": 1000}, TOOLS, False),
        ({"max_tokens": 1000}, TOOLS, True),
        ({"max_tokens": 1000}, IMAGE, False),
        ({"to": "m"}, TOOLS, False),
    ],
)
async def test_a_rule_takes_a_call_if_all_its_conditions_hold(rule: Any, asked: Request, taken: bool) -> None:
    policy = Reroute(Reroute.Config.model_validate({"rules": [{"to": "other", **rule}]}))
    verdict = await judge(policy, asked)
    assert (verdict.action, verdict.model) == (("reroute", "other") if taken else ("allow", ""))


async def test_the_first_rule_decides() -> None:
    rules = [{"to": "a", "tools": "with"}, {"to": "b"}]
    policy = Reroute(Reroute.Config.model_validate({"rules": rules}))
    assert (await judge(policy, TOOLS)).model == "a"
    assert (await judge(policy, IMAGE)).model == "b"
