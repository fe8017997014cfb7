"""Request hooks: check."""

import asyncio
import dataclasses

import pytest

from gateway.errors import RequestRefused
from gateway.executor import Answered
from gateway.executor import executor as executor_module
from policies.active import ActivePolicy
from policies.base import Call
from policies.content import Image, Message, Request, Text, Tool, ToolResult
from policies.verdicts import Verdict, allow, block, refuse, replace, reroute, respond, stop

from .playing import Source, active, answer, check, noting, play, prepared, through

ASKED = Request("model-1", (Message("user", (Text("hello"),)),), stream=True, choices=2)


def always(verdict: object) -> object:
    return lambda request, call: verdict


def upper(request: Request, call: Call) -> Verdict:
    return replace(request.map_text(str.upper))


async def test_a_request_that_nobody_judges_is_the_same_object() -> None:
    request, played = await check(ASKED, active(on_text=always(allow())), active(on_request=always(allow("fine"))))
    assert request is ASKED
    assert [made[1:] for made in played.verdicts] == [("on_request", "request", "allow")]


async def test_each_policy_sees_what_the_one_before_made() -> None:
    seen: list[str] = []

    def look(request: Request, call: Call) -> Verdict:
        assert call.request is request
        seen.append(request.last_user_text)
        return allow()

    request, _ = await check(ASKED, active(on_request=look), active(on_request=upper), active(on_request=look))
    assert seen == ["hello", "HELLO"]
    assert isinstance(request, Request)
    assert request.last_user_text == "HELLO"


async def test_answer_hooks_see_the_request_as_it_was_sent() -> None:
    seen: list[str] = []
    first = active("first", on_text=lambda text, call: noting(seen, call.request.last_user_text, allow()))
    played = prepared(first, active(on_request=upper), request=ASKED)
    await played.executor.check(ASKED)
    async for _ in through(played.executor, Source([answer(Text("hi"))]).stream()):
        pass
    assert seen == ["HELLO"]


async def test_a_replacement_cannot_change_how_the_answer_travels() -> None:
    other = dataclasses.replace(ASKED, stream=False, choices=1, max_tokens=5)
    request, _ = await check(ASKED, active(on_request=always(replace(other))))
    assert request == dataclasses.replace(ASKED, max_tokens=5)


async def test_reroute_changes_the_model_alone_and_later_policies_see_it() -> None:
    seen: list[str] = []
    later = active("later", on_request=lambda request, call: noting(seen, request.model, allow()))
    request, _ = await check(ASKED, active(on_request=always(reroute("small", "cheap"))), later)
    assert request == dataclasses.replace(ASKED, model="small")
    assert seen == ["small"]


@pytest.mark.parametrize("verdict", [block("no cats"), stop("no cats.")])
async def test_block_answers_in_the_models_place_and_ends_the_chain(verdict: Verdict) -> None:
    later, shadow = (
        active("later", on_request=always(allow())),
        active("watching", on_request=always(allow()), mode="shadow"),
    )
    answered, played = await check(ASKED, active("no-cats", on_request=always(verdict)), later, shadow)
    assert answered == Answered(
        "[Luthien] The policy no-cats blocked this request: no cats. Call call_1: http://console/why/call_1",
        blocked=True,
    )
    assert played.verdicts == [
        ("no-cats", "on_request", "request", verdict.action),
        ("later", "on_request", "request", "not_reached"),
    ]


async def test_respond_answers_with_the_policys_own_text() -> None:
    answered, _ = await check(ASKED, active(on_request=always(respond("42", "cached"))))
    assert answered == Answered("42", blocked=False)


@pytest.mark.parametrize(("retry_after", "should_retry"), [(2.5, None), (0, None), (None, False)])
async def test_refuse_raises_the_status_with_its_retry_after(
    retry_after: float | None, should_retry: bool | None
) -> None:
    with pytest.raises(RequestRefused, match="The policy limit refused this request: too fast") as refused:
        await check(ASKED, active("limit", on_request=always(refuse(429, "too fast", retry_after))))
    assert (refused.value.status, refused.value.retry_after) == (429, retry_after)
    assert refused.value.should_retry is should_retry


async def test_refuse_without_a_reason_says_so() -> None:
    with pytest.raises(RequestRefused, match="no reason given"):
        await check(ASKED, active(on_request=always(refuse(503, ""))))


RUBBISH = [
    None,
    "allow",
    Verdict("dance"),  # type: ignore[arg-type]
    Verdict(["allow"]),  # type: ignore[arg-type]
    Verdict("retry", model="m"),
    Verdict("allow", 7),  # type: ignore[arg-type]
    Verdict("allow", score=2),
    Verdict("allow", score=float("nan")),
    Verdict("allow", score="high"),  # type: ignore[arg-type]
    Verdict("allow", evidence={"seen": {1, 2}}),
    Verdict("allow", evidence={"seen": float("inf")}),
    Verdict("allow", evidence=["a"]),  # type: ignore[arg-type]
    replace(Text("a block")),
    Verdict("replace"),
    replace(dataclasses.replace(ASKED, model="")),
    replace(dataclasses.replace(ASKED, messages=["hello"])),  # type: ignore[arg-type]
    replace(dataclasses.replace(ASKED, messages=("hello",))),  # type: ignore[arg-type]
    replace(dataclasses.replace(ASKED, messages=(Message("user", ("hello",)),))),  # type: ignore[arg-type]
    replace(dataclasses.replace(ASKED, messages=(Message("user", (Text(None),)),))),  # type: ignore[arg-type]
    replace(dataclasses.replace(ASKED, system=("be good",))),  # type: ignore[arg-type]
    replace(dataclasses.replace(ASKED, tools=("bash",))),  # type: ignore[arg-type]
    respond(""),
    respond(None),  # type: ignore[arg-type]
    reroute(""),
    refuse(200, "fine"),
    refuse("429", "no"),  # type: ignore[arg-type]
    refuse(429, "no", -1),
    refuse(429, "no", "soon"),  # type: ignore[arg-type]
    refuse(429, "no", float("inf")),
]


@pytest.mark.parametrize("verdict", RUBBISH)
async def test_rubbish_blocks_the_request(verdict: object) -> None:
    answered, played = await check(ASKED, active(on_request=always(verdict)))
    assert isinstance(answered, Answered)
    assert answered.blocked
    assert "the policy failed" in answered.text
    assert [made.action for made in played.decisions] == ["failed_closed"]


@pytest.mark.parametrize("verdict", RUBBISH[:6])
async def test_rubbish_lets_the_request_pass_where_failures_do(verdict: object) -> None:
    request, played = await check(ASKED, active(on_request=always(verdict), on_failure="open"))
    assert request is ASKED
    assert [made.action for made in played.decisions] == ["failed_open"]


async def test_a_whole_request_of_all_kinds_of_things_may_be_put_in_place() -> None:
    whole = Request(
        "model-1",
        (Message("user", (Image(url="http://x/y.png"), ToolResult("t1", (Text("out"),)))),),
        system=(Text("be good"),),
        tools=(Tool("bash", "runs", {"type": "object"}),),
    )
    request, _ = await check(ASKED, active(on_request=always(replace(whole))))
    assert request == dataclasses.replace(whole, stream=True, choices=2)


async def test_the_verdicts_together_have_their_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executor_module, "REQUEST_VERDICTS", 0.01)
    never: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
    answered, played = await check(
        ASKED,
        active("slow", on_request=lambda request, call: never, on_failure="open"),
        active("late", on_request=lambda request, call: asyncio.Event().wait()),
    )
    assert isinstance(answered, Answered)
    assert [(made.policy, made.action) for made in played.decisions] == [
        ("slow", "failed_open"),
        ("late", "failed_closed"),
    ]


async def test_a_shadow_beside_judges_and_changes_nothing() -> None:
    waiting = asyncio.Event()

    async def enforce(request: Request, call: Call) -> Verdict:
        await waiting.wait()
        return allow()

    def told(verdict: Verdict) -> object:
        def hook(request: Request, call: Call) -> Verdict:
            waiting.set()
            return verdict

        return hook

    shadow = active("watching", on_request=told(block("would")), mode="shadow")
    request, played = await check(ASKED, shadow, active("forcing", on_request=enforce))
    assert request is ASKED
    assert [(made.policy, made.mode, made.action) for made in played.decisions] == [
        ("watching", "shadow", "block"),
        ("forcing", "enforce", "allow"),
    ]


async def test_a_call_without_policies_is_let_through() -> None:
    request, played = await check(ASKED)
    assert request is ASKED
    assert played.executor.activations == ()
    assert played.executor.held == 0.0
    await play(answer(Text("hi")))


async def test_those_who_join_later_are_asked_alone_and_take_their_place_in_the_order() -> None:
    asked: list[str] = []

    def asking(name: str, order: int) -> ActivePolicy:
        return active(name, on_request=lambda request, call: noting(asked, name, allow()), order=order)

    first, last, joining = asking("first", 1), asking("last", 3), asking("joining", 2)
    played = prepared(first, last, request=ASKED)
    await played.executor.check(ASKED)
    assert played.executor.join([first, joining])
    assert not played.executor.join([joining, last])
    assert [made.name for made in played.executor.activations] == ["first", "joining", "last"]
    await played.executor.check(ASKED)
    assert asked == ["first", "last", "joining"]
