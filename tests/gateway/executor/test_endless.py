"""Answers that never come to an end, under policies that want to see them whole."""

from collections.abc import Iterator

import pytest

from gateway.errors import UpstreamEndless
from gateway.executor import chain
from policies.content import Text, ToolCall
from policies.events import BlockDelta, BlockEnd, BlockStart, Event, Start
from policies.verdicts import allow

from .playing import Source, active, answer, play, prepared, through

CALL = BlockStart("tool_call", "t1", "bash")
SPEECH = BlockStart("text")
HOOKS = {
    "on_text": SPEECH,
    "on_thinking": BlockStart("thinking"),
    "on_tool_call": CALL,
    "on_tool_call_delta": CALL,
    "on_answer": SPEECH,
}


@pytest.fixture(autouse=True)
def little_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "MOST_HELD", 10_000)


def allowing(hook: str) -> object:
    return (lambda fragment, call: None) if hook == "on_tool_call_delta" else (lambda subject, call: allow())


def endless(start: BlockStart) -> Iterator[list[Event]]:
    yield [Start("msg_1", "model-1")]
    yield [start]
    while True:
        yield [BlockDelta("x")]


@pytest.mark.parametrize("hook", HOOKS)
async def test_a_block_without_end_is_given_up_and_nothing_of_it_is_released(hook: str) -> None:
    source = Source(endless(HOOKS[hook]))
    played = prepared(active(**{hook: allowing(hook)}))
    released: list[Event] = []
    with pytest.raises(UpstreamEndless):
        async for batch in through(played.executor, source.stream()):
            released += batch
    assert [event for event in released if not isinstance(event, Start)] == []
    assert source.closed
    assert source.read < 100


async def test_blocks_without_end_behind_a_tool_call_are_given_up_too() -> None:
    def calls() -> Iterator[list[Event]]:
        yield [Start("msg_1", "model-1")]
        while True:
            yield [CALL, BlockDelta("{}"), BlockEnd()]

    source = Source(calls())
    with pytest.raises(UpstreamEndless):
        await play(source, active(on_tool_call=allowing("on_tool_call")))
    assert source.closed


async def test_a_long_answer_of_which_some_leaves_now_and_then_goes_on() -> None:
    blocks = [Text("x" * 60) for _ in range(50)]
    played = await play(answer(*blocks), active(on_text=allowing("on_text")))
    assert len(played.response.blocks) == 50


async def test_an_answer_that_comes_at_once_is_judged_however_long_it_is() -> None:
    events = answer(Text("x" * 20_000), ToolCall("t1", "bash", "{}"), stop="tool_use")
    played = await play(Source([events]), active(on_answer=allowing("on_answer")))
    assert played.events == events


async def test_what_nobody_holds_may_be_endless() -> None:
    played = await play(answer(Text("x" * 50_000)), active(on_tool_call=allowing("on_tool_call")))
    assert played.response.blocks == (Text("x" * 50_000),)
