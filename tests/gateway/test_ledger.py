import pytest

from gateway.ledger import Ledger
from policies.content import Block, Opaque, Text, Thinking, ToolCall
from policies.events import Aside, BlockDelta, BlockStart, End, Event, Failure, Start, block_events

LS = ToolCall("t1", "bash", '{"command":"ls"}')


def begun(events: list[Event]) -> Ledger:
    """One that knows of the answers in `events`."""
    ledger = Ledger()
    for event in events:
        if isinstance(event, Start):
            ledger.begin()
    return ledger


def events_of(*blocks: Block) -> list[Event]:
    return [Start(), *(event for block in blocks for event in block_events(block)), End()]


def test_a_tool_call_is_told_whole_and_of_others_only_the_kind() -> None:
    events = events_of(Text("hello"), Thinking("hm", "signed"), LS, Opaque("picture"))
    ledger = begun(events)
    assert ledger.release(events) == [Text(""), Thinking(""), LS, Opaque("picture")]
    assert ledger.over


def test_a_block_is_told_when_it_is_complete_however_it_is_cut() -> None:
    events = events_of(LS)
    ledger = begun(events)
    *before, end_of_block, end = events
    assert [ledger.release([event]) for event in before] == [[]] * len(before)
    assert ledger.release([end_of_block]) == [LS]
    assert not ledger.over
    assert ledger.release([end]) == []
    assert ledger.over


def test_of_several_choices_the_last_one_ends_the_answer() -> None:
    ledger = begun([*events_of(LS), *events_of(LS)])
    assert ledger.release(events_of(LS)) == [LS]
    assert not ledger.over
    assert ledger.release(events_of(LS)) == [LS]
    assert ledger.over


@pytest.mark.parametrize("events", [[Failure("x", "y")], [Start(), BlockStart("text"), Failure("x", "y")]])
def test_a_failure_ends_the_answer(events: list[Event]) -> None:
    ledger = begun(events)
    assert ledger.release(events) == []
    assert ledger.over


def test_asides_and_stray_deltas_change_nothing() -> None:
    ledger = Ledger()
    assert ledger.release([Aside(), BlockDelta("x")]) == []
    assert not ledger.over


@pytest.mark.parametrize(
    ("blocks", "free"), [([Text("a")], 4), ([Text("a"), LS], 4), ([LS, Text("a")], 1), ([Thinking("a"), Text("b")], 7)]
)
def test_what_completes_a_tool_call_or_the_answer_is_not_free(blocks: list[Block], free: int) -> None:
    events = events_of(*blocks)
    ledger = begun(events)
    assert ledger.free(events) == free


def test_the_end_of_an_open_tool_call_is_not_free() -> None:
    ledger = Ledger()
    _, start, delta, end_of_block, _ = events_of(LS)
    ledger.release([start])
    assert ledger.free([delta]) == 1
    assert ledger.free([delta, end_of_block]) == 1
    ledger.release([delta, end_of_block])
    assert ledger.free([Failure("x", "y")]) == 0
