import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.content import Opaque, Response, Text, Thinking, ToolCall, Usage
from policies.events import (
    Accumulator,
    Aside,
    BlockDelta,
    BlockEnd,
    BlockStart,
    End,
    Event,
    Failure,
    Frame,
    Grammar,
    GrammarError,
    Start,
    block_events,
    build_block,
    fold,
    response_events,
)

BLOCKS = st.one_of(
    st.builds(Text, st.text()),
    st.builds(Thinking, st.text(), st.text()),
    st.builds(ToolCall, st.text(), st.text(), st.text(), st.booleans(), st.booleans()),
    st.builds(Opaque, st.text()),
)
USAGE = st.builds(Usage, st.integers(1), st.integers(0))
RESPONSES = st.builds(Response, st.text(), st.text(), st.lists(BLOCKS).map(tuple), st.text(), USAGE)


@given(RESPONSES)
def test_folding_is_the_inverse_of_streaming(response: Response) -> None:
    assert fold(response_events(response)) == response


@given(RESPONSES)
def test_what_is_streamed_obeys_the_grammar(response: Response) -> None:
    grammar = Grammar()
    for event in response_events(response):
        assert not grammar.complete
        grammar.check(event)
    assert grammar.complete


def test_several_answers_follow_one_another() -> None:
    grammar = Grammar()
    for event in (Start(), End(), Start(choice=1), Aside(), Failure("x", "y")):
        grammar.check(event)
    assert grammar.complete


@pytest.mark.parametrize(
    "events",
    [
        [End()],
        [BlockStart("text")],
        [Start(), Start()],
        [Start(), BlockDelta("x")],
        [Start(), BlockEnd()],
        [Start(), BlockStart("text"), BlockStart("text")],
        [Start(), BlockStart("text"), End()],
        [Start(), End(), End()],
        [Start(), End(), BlockStart("text")],
        [Start(), Failure("x", "y"), End()],
    ],
    ids=lambda events: "-".join(type(event).__name__ for event in events),
)
def test_an_illegal_event_is_refused(events: list[Event]) -> None:
    grammar = Grammar()
    for event in events[:-1]:
        grammar.check(event)
    with pytest.raises(GrammarError, match=f"{type(events[-1]).__name__} may not stand here"):
        grammar.check(events[-1])


def test_a_block_may_break_off_in_a_failure() -> None:
    grammar = Grammar()
    for event in (Start(), BlockStart("text"), BlockDelta("x"), Failure("x", "y")):
        grammar.check(event)
    assert grammar.complete


def test_frames_are_compared_by_identity() -> None:
    assert Frame(b"x") != Frame(b"x") and Frame(b"x", 2).size == 2


def test_a_built_block_has_the_source_of_its_start() -> None:
    start = BlockStart("thinking", source={"a": 1})
    block = build_block(start, iter([BlockDelta("x"), BlockDelta("", "sig"), BlockDelta("y", "nature")]))
    assert block == Thinking("xy", "signature") and block.source == {"a": 1}
    assert next(iter(block_events(block))).source == {"a": 1}


def test_what_is_not_complete_is_not_part_of_the_answer() -> None:
    accumulator = Accumulator()
    for event in (Start("i"), BlockStart("text"), BlockDelta("x"), Aside(), Failure("x", "y")):
        accumulator.add(event)
    assert accumulator.response == Response("i")


def test_an_end_without_a_block_is_refused() -> None:
    with pytest.raises(GrammarError):
        fold([Start(), BlockEnd()])


def test_the_usage_is_that_of_the_end_if_it_has_any() -> None:
    early, late = Usage(1), Usage(2)
    assert fold([Start(usage=early), End(usage=late)]).usage == late
    assert fold([Start(usage=early), End()]).usage == early
