"""Promise one, for any answer, any cutting and any chain of policies: nothing unjudged is released."""

import asyncio
import re
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.executor import PolicyExecutor
from policies.active import ActivePolicy
from policies.base import Call
from policies.content import Block, Opaque, Request, Response, Text, Thinking, ToolCall
from policies.events import Aside, BlockEnd, BlockStart, Event, Failure, Frame, fold, response_events
from policies.verdicts import Decision, Verdict, allow, block, replace, stop

from .playing import Source, active, check_grammar, cut, same_objects, through

T = TypeVar("T")

DOINGS = ["allow", "allow", "allow", "replace", "empty", "block", "stop", "raise", "hang", "rubbish"]
KEPT_BACK = {"block", "stop", "failed_closed"}
LET_GO = {"allow", "replace", "failed_open"}
MARK = re.compile(r"#\d+#")


@dataclass(frozen=True)
class Guard:
    """A made-up policy: what it does to each block is drawn, and depends on the block's mark alone."""

    hooks: frozenset[str]
    doings: tuple[str, ...]
    on_failure: str
    mode: str


guards = st.builds(
    Guard,
    st.sets(
        st.sampled_from(["on_text", "on_thinking", "on_tool_call", "on_answer", "on_text_delta", "on_event"]),
        min_size=1,
        max_size=4,
    ).map(frozenset),
    st.lists(st.sampled_from(DOINGS), min_size=7, max_size=7).map(tuple),
    st.sampled_from(["closed", "closed", "open"]),
    st.sampled_from(["enforce", "enforce", "enforce", "shadow"]),
)
kinds = st.lists(st.sampled_from(["text", "thinking", "tool_call", "executed", "opaque"]), max_size=6)


def made(kinds: Sequence[str]) -> list[Block]:
    """Blocks of these kinds, each with a mark that no other has."""
    makers: dict[str, Callable[[str], Block]] = {
        "text": lambda mark: Text(f"text {mark} next"),
        "thinking": lambda mark: Thinking(f"thought {mark}", f"signed {mark}"),
        "tool_call": lambda mark: ToolCall(mark, "bash", f'{{"command":"{mark}"}}'),
        "executed": lambda mark: ToolCall(mark, "web_search", f'{{"query":"{mark}"}}', executed=True),
        "opaque": lambda mark: Opaque(mark),
    }
    return [makers[kind](f"#{number}#") for number, kind in enumerate(kinds)]


def mark(thing: Block) -> str:
    """The mark of what a block was made from; one that no block has for what a policy made up."""
    found = MARK.search(repr(thing))
    return found.group() if found else "#6#"


@dataclass
class Journal:
    """All that happened in a call, in its order: decisions and released batches."""

    happened: list[Decision | list[Event]] = field(default_factory=list)
    kept_back: set[str] = field(default_factory=set)

    @property
    def decisions(self) -> list[Decision]:
        return [entry for entry in self.happened if isinstance(entry, Decision)]

    @property
    def events(self) -> list[Event]:
        return [event for entry in self.happened if isinstance(entry, list) for event in entry]


def activation(name: str, guard: Guard, journal: Journal) -> ActivePolicy:
    async def judge(thing: Block, call: Call) -> Any:
        doing = guard.doings[int(mark(thing).strip("#"))]
        fails = doing in ("raise", "hang", "rubbish") and guard.on_failure == "closed"
        if guard.mode == "enforce" and (fails or doing in ("block", "stop")):
            journal.kept_back.add(mark(thing))
        return await verdict(doing, thing)

    async def judge_answer(response: Response, call: Call) -> Any:
        doing = guard.doings[-1]
        fails = doing in ("raise", "hang", "rubbish") and guard.on_failure == "closed"
        if guard.mode == "enforce" and (fails or doing in ("block", "stop")):
            journal.kept_back.update(mark(thing) for thing in response.blocks if MARK.search(repr(thing)))
        if doing in ("replace", "empty"):
            return replace(response.blocks[1:])
        return await verdict(doing, Text(""))

    def edit(text: str, call: Call, final: bool) -> tuple[str, int]:
        if guard.doings[0] in ("allow", "empty"):
            return text, 0
        keep = 0 if final else min(len(text), 2)
        return text[: len(text) - keep].replace("x", "X"), keep

    def watch(event: Event, call: Call) -> Any:
        if guard.doings[1] == "raise" and isinstance(event, BlockEnd):
            raise ValueError
        return [] if guard.doings[1] == "empty" and isinstance(event, Aside) else event

    hooks: dict[str, Any] = {
        "on_text": judge,
        "on_thinking": judge,
        "on_tool_call": judge,
        "on_answer": judge_answer,
        "on_text_delta": edit,
        "on_event": watch,
    }
    return active(
        name,
        **{hook: hooks[hook] for hook in guard.hooks},
        mode=guard.mode,
        on_failure=guard.on_failure,
    )


async def verdict(doing: str, thing: Block) -> Any:
    match doing:
        case "allow":
            return allow()
        case "replace":
            same = thing.with_arguments({"command": "safe"}) if isinstance(thing, ToolCall) else Text("replaced")
            return replace((Text("before"), same))
        case "empty":
            return replace(())
        case "block":
            return block("blocked")
        case "stop":
            return stop("stopped")
        case "raise":
            raise ValueError(repr(thing))
        case "hang":
            return await asyncio.get_running_loop().create_future()
    return Verdict("reroute")


class Clockwork(asyncio.SelectorEventLoop):
    """Time stands still while anything can run, and jumps to the next deadline when nothing can."""

    now = 0.0

    def time(self) -> float:
        return self.now

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:  # type: ignore[attr-defined]
            self.now = max(self.now, self._scheduled[0].when())  # type: ignore[attr-defined]
        super()._run_once()  # type: ignore[misc]


def run(scenario: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=Clockwork) as runner:
        return runner.run(scenario)


def streamed(blocks: Sequence[Block], size: int, asides: bool) -> list[Event]:
    events: list[Event] = []
    for whole in response_events(Response("msg", "model", tuple(blocks), "tool_use")):
        for event in cut(whole, size):
            event.frame = Frame(b"frame")
            events += [event, Aside(Frame(b"ping"))] if asides else [event]
    return events


def batched(events: list[Event], size: int) -> list[list[Event]]:
    return [events[at : at + size] for at in range(0, len(events), size)]


def play(batches: list[list[Event]], chain: Sequence[Guard], binds_thinking: bool) -> Journal:
    return run(_play(batches, chain, binds_thinking))


async def _play(batches: list[list[Event]], chain: Sequence[Guard], binds_thinking: bool) -> Journal:
    journal = Journal()
    activations = [activation(f"p{number}", guard, journal) for number, guard in enumerate(chain)]
    executor = PolicyExecutor(
        activations,
        Call(id="c", request=Request("m")),
        journal.happened.append,
        began=0.0,
        binds_thinking=binds_thinking,
    )
    source = Source(batches)
    async for batch in through(executor, source.stream()):
        journal.happened.append(batch)
    assert source.closed
    check_grammar(journal.events)
    if not executor.changed and not isinstance(batches[-1][-1], Failure):  # which drops what was held
        assert fold(journal.events) == fold(event for batch in batches for event in batch)
    return journal


def assert_judged_before_release(journal: Journal, chain: Sequence[Guard]) -> None:
    judging = {f"p{n}" for n, guard in enumerate(chain) if "on_tool_call" in guard.hooks and guard.mode == "enforce"}
    let_go: dict[str, set[str]] = {}
    open_block: BlockStart | None = None
    for entry in journal.happened:
        if isinstance(entry, Decision):
            if entry.hook == "on_tool_call" and entry.action in LET_GO and entry.mode == "enforce":
                let_go.setdefault(entry.block.removeprefix("tool_call "), set()).add(entry.policy)
            continue
        for event in entry:
            if isinstance(event, BlockStart):
                open_block = event
            elif isinstance(event, BlockEnd) and open_block is not None and open_block.kind == "tool_call":
                assert let_go.get(open_block.id, set()) == judging


def assert_nothing_kept_back_appears(journal: Journal) -> None:
    released = fold(journal.events)
    marks = {
        found for thing in released.blocks for found in MARK.findall(repr(thing)) if "[Luthien]" not in repr(thing)
    }
    assert not marks & journal.kept_back
    for event in journal.events:
        if isinstance(event, BlockStart) and event.kind == "tool_call":
            assert event.id not in journal.kept_back


def assert_order_is_kept(journal: Journal, chain: Sequence[Guard]) -> None:
    blocks = [thing for thing in fold(journal.events).blocks if MARK.search(repr(thing)) and "[Luth" not in repr(thing)]
    client = [mark(thing) for thing in blocks if isinstance(thing, ToolCall) and not thing.executed]
    others = [mark(thing) for thing in blocks if not (isinstance(thing, ToolCall) and not thing.executed)]
    assert client == sorted(client)
    assert others == sorted(others)


def assert_the_stop_reason_agrees(journal: Journal, came: Sequence[str]) -> None:
    released = fold(journal.events)
    left = any(not tool_call.executed for tool_call in released.tool_calls)
    if "tool_call" in came:
        assert released.stop_reason == ("tool_use" if left else "end_turn")


@settings(max_examples=200, deadline=None)
@given(
    kinds,
    st.lists(guards, min_size=1, max_size=3),
    st.integers(1, 9),
    st.integers(1, 12),
    st.booleans(),
    st.booleans(),
)
def test_nothing_unjudged_is_released_and_cutting_makes_no_difference(
    came: list[str], chain: list[Guard], size: int, batch: int, asides: bool, binds_thinking: bool
) -> None:
    blocks = made(came)
    events = streamed(blocks, size, asides)
    journals = [
        play(batched(events, 1), chain, binds_thinking),
        play([events], chain, binds_thinking),
        play(batched(events, batch), chain, binds_thinking),
        play([streamed(blocks, 100, asides=False)], chain, binds_thinking),
    ]
    for journal in journals:
        assert_judged_before_release(journal, chain)
        assert_nothing_kept_back_appears(journal)
        assert_order_is_kept(journal, chain)
        assert_the_stop_reason_agrees(journal, came)
    spelled = [fold(journal.events) for journal in journals]
    assert spelled[1:] == spelled[:-1]


@settings(max_examples=100, deadline=None)
@given(kinds, st.sets(st.sampled_from(["on_text", "on_thinking", "on_tool_call", "on_answer", "on_event"])), st.data())
def test_what_every_policy_allows_leaves_as_the_same_objects(came: list[str], hooks: set[str], data: Any) -> None:
    allowing = Guard(frozenset(hooks or {"on_text"}), ("allow",) * 7, "closed", "enforce")
    events = streamed(made(came), data.draw(st.integers(1, 9)), asides=True)
    journal = play(batched(events, data.draw(st.integers(1, 12))), [allowing, allowing], binds_thinking=True)
    assert same_objects(journal.events, events)


@settings(max_examples=200, deadline=None)
@given(kinds, st.lists(guards, min_size=1, max_size=3), st.data())
def test_an_upstream_that_fails_anywhere_leaves_nothing_half_judged(
    came: list[str], chain: list[Guard], data: Any
) -> None:
    events = streamed(made(came), 4, asides=False)
    reached = data.draw(st.integers(1, len(events) - 1))
    whole = {mark(thing) for thing in fold(events[:reached]).blocks if isinstance(thing, ToolCall)}
    journal = play(batched([*events[:reached], Failure("overloaded", "busy")], 3), chain, binds_thinking=True)
    assert_judged_before_release(journal, chain)
    assert_nothing_kept_back_appears(journal)
    assert {tool_call.id for tool_call in fold(journal.events).tool_calls} <= whole


@settings(max_examples=100, deadline=None)
@given(kinds, st.lists(guards, min_size=1, max_size=3), st.integers(0, 12))
def test_a_client_that_leaves_anywhere_leaves_no_task_of_an_enforced_policy(
    came: list[str], chain: list[Guard], taken: int
) -> None:
    async def leave() -> None:
        journal = Journal()
        enforced = [activation(f"p{n}", guard, journal) for n, guard in enumerate(chain) if guard.mode == "enforce"]
        executor = PolicyExecutor(enforced, Call(), journal.happened.append, began=0.0)
        source = Source(batched(streamed(made(came), 4, asides=True), 2))
        released = through(executor, source.stream())
        for _ in range(taken):
            if await anext(released, None) is None:
                break
        await released.aclose()
        assert source.closed or not source.read
        for _ in range(5):
            await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run(leave())


def test_the_checks_of_this_file_can_fail() -> None:
    guard = Guard(frozenset({"on_tool_call"}), ("block",) * 7, "closed", "enforce")
    events = streamed(made(["tool_call"]), 3, asides=False)
    journal = Journal([events], {"#0#"})
    with pytest.raises(AssertionError):
        assert_judged_before_release(journal, [guard])
    with pytest.raises(AssertionError):
        assert_nothing_kept_back_appears(journal)
