from dataclasses import replace

import pytest

from gateway import prices
from gateway.attempts import MOST_ATTEMPTS, Attempts
from gateway.calls import Incoming
from gateway.dialects import ANTHROPIC
from gateway.directory import Client, Directory, Route, Target
from gateway.errors import Forbidden, NotFound, RequestBlocked, UpstreamStalled, UpstreamUnreachable
from gateway.upstreams.demo import DemoUpstream
from policies.active import ActiveSet
from policies.content import Usage

UPSTREAM = DemoUpstream()
FIRST, SECOND = UpstreamUnreachable("first"), UpstreamStalled("second")


def target(provider: str, model: str = "", dialect: str = "anthropic") -> Target:
    return Target(provider, dialect, model, UPSTREAM)


def attempts(
    *fallbacks: Target, match: str = "m", judges_only: bool = False, brought: bool = False, passes: bool = False
) -> Attempts:
    credential = ("x-api-key", "their own") if brought else None
    client = Client("k", "", can_call=True, can_read=False, id=1, credential=credential)
    own = replace(target("own", dialect="openai" if match == "chat" else "anthropic"), passthrough=passes)
    other = Route("other", replace(target("elsewhere"), passthrough=True))
    directory = Directory.of(1, ActiveSet(), {}, [Route(match, own, fallbacks), other])
    return Attempts(Incoming(ANTHROPIC, client, "POST", "/messages", {}, b"", judges_only), directory)


def anything(model: str) -> bool:
    return True


def asked(tried: Attempts, model: str = "m") -> list[str]:
    """Who is asked, one after another, where nobody can answer."""
    names = [tried.target(model).provider]
    while (fallback := tried.next(FIRST, anything)) is not None:
        names.append(tried.target(fallback.model).provider)
    return names


def test_a_models_own_provider_is_asked_first_and_then_its_fallbacks_in_order() -> None:
    assert asked(attempts(target("one", "a"), target("two", "b"))) == ["own", "one", "two"]
    assert asked(attempts()) == ["own"]


def test_nobody_is_asked_twice_for_the_same_model() -> None:
    assert asked(attempts(target("own", "m"), target("one", "m"), target("one"), match="*")) == ["own", "one"]


def test_a_fallback_of_another_dialect_is_asked_too() -> None:
    assert asked(attempts(target("chat", "a", "openai"), target("two", "b"))) == ["own", "chat", "two"]


def test_a_fallback_that_is_not_offered_is_passed_over() -> None:
    tried = attempts(target("one", "a"), target("two", "b"), target("three", "a"))
    tried.target("m")
    assert tried.next(FIRST, lambda model: model == "b") == target("two", "b")
    assert tried.next(FIRST, lambda model: model == "b") is None


def test_what_is_no_completion_has_no_fallback() -> None:
    assert asked(attempts(target("one", "a"), judges_only=True)) == ["own"]


def test_a_model_that_nobody_serves_is_not_found() -> None:
    with pytest.raises(NotFound, match="not served here"):
        attempts().target("another")


def test_a_clients_own_credential_stays_with_the_provider_of_the_model_that_it_named() -> None:
    with pytest.raises(Forbidden, match="The provider own takes no credential of your own"):
        attempts(brought=True).target("m")
    tried = attempts(target("one", "a"), brought=True, passes=True)
    assert tried.target("m").provider == "own"
    assert tried.next(FIRST, anything) is None
    with pytest.raises(Forbidden, match="A policy chose a model of elsewhere"):
        tried.target("other")
    with pytest.raises(Forbidden, match="another dialect"):
        attempts(match="chat", brought=True, passes=True).target("chat")
    assert attempts(passes=True).target("other").provider == "elsewhere"


def test_a_policy_may_choose_another_model_than_the_fallbacks() -> None:
    tried = attempts(target("one", "a"), match="*")
    tried.target("m")
    tried.next(FIRST, anything)
    assert tried.target("mine").provider == "own"


def test_the_first_failure_is_kept() -> None:
    tried = attempts(target("one", "a"))
    tried.target("m")
    tried.next(FIRST, anything)
    tried.next(SECOND, anything)
    assert tried.failure is FIRST


@pytest.mark.parametrize("status", [200, 400, 401, 404, 413, 501])
def test_an_answer_that_others_would_give_too_is_passed_on(status: int) -> None:
    tried = attempts(target("one", "a"))
    tried.target("m")
    assert not tried.is_failure(status)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 529])
def test_an_answer_that_says_not_now_is_a_failure_where_somebody_else_may_be_asked(status: int) -> None:
    tried = attempts(target("one", "a"))
    tried.target("m")
    assert tried.is_failure(status)
    alone = attempts()
    alone.target("m")
    assert not alone.is_failure(status)


def test_any_error_of_a_fallback_is_a_failure() -> None:
    tried = attempts(target("one", "a"))
    tried.target("m")
    tried.next(FIRST, anything)
    assert tried.is_failure(401)
    assert not tried.is_failure(200)


def test_another_answer_may_be_asked_for_so_often_and_begins_anew() -> None:
    tried = attempts(target("one", "a"))
    tried.target("m")
    tried.next(FIRST, anything)
    for _ in range(MOST_ATTEMPTS - 1):
        tried.again("m", Usage())
    assert tried.failure is None
    assert tried.target("m").provider == "own"
    with pytest.raises(RequestBlocked, match="3 times"):
        tried.again("m", Usage())


def test_all_answers_of_a_call_are_paid_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prices, "cost", lambda model, usage: None if model == "free" else usage.output_tokens * 10)
    tried = attempts()
    assert tried.total("m", Usage(1, 2, 3, 4)) == (Usage(1, 2, 3, 4), 20)
    tried.again("m", Usage(1, 2, 3, 4))
    assert tried.total("free", Usage(5, 6)) == (Usage(6, 8, 3, 4), 20)
    alone = attempts()
    alone.again("free", Usage(1))
    assert alone.total("free", Usage(1)) == (Usage(2), None)
