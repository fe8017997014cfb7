"""What waits for what: side by side, in order, and never longer than it must."""

import asyncio
from collections.abc import AsyncGenerator

from policies.base import Call
from policies.content import Opaque, Text, ToolCall
from policies.events import Aside, BlockDelta, Event
from policies.verdicts import Verdict, allow, block, replace, stop

from .playing import Source, active, answer, check_grammar, noting, play, prepared, same_objects, through

LS = ToolCall("t1", "bash", '{"command":"ls"}')
PWD = ToolCall("t2", "bash", '{"command":"pwd"}')
SEARCH = ToolCall("s1", "web_search", '{"query":"x"}', executed=True)


class Bench:
    """Verdicts that a test gives by hand: `asked[name]` is set once the policy is asked, `verdicts[name]` answers."""

    def __init__(self, *names: str) -> None:
        self.asked = {name: asyncio.Event() for name in names}
        self.verdicts = {name: asyncio.get_running_loop().create_future() for name in names}

    async def on_tool_call(self, tool_call: ToolCall, call: Call) -> Verdict:
        return await self._answer(tool_call.id)

    async def on_text(self, text: Text, call: Call) -> Verdict:
        return await self._answer(text.text)

    async def _answer(self, name: str) -> Verdict:
        self.asked[name].set()
        verdict: Verdict = await self.verdicts[name]
        return verdict


async def collect(events: AsyncGenerator[list[Event], None]) -> list[Event]:
    return [event async for batch in events for event in batch]


async def test_parallel_tool_calls_are_judged_side_by_side_and_leave_in_order() -> None:
    bench = Bench("t1", "t2")
    events = answer(LS, PWD, stop="tool_use")
    playing = asyncio.create_task(play(events, active(on_tool_call=bench.on_tool_call)))
    await bench.asked["t1"].wait()
    await bench.asked["t2"].wait()
    bench.verdicts["t2"].set_result(allow())
    await asyncio.sleep(0)
    assert not playing.done()
    bench.verdicts["t1"].set_result(allow())
    played = await playing
    assert same_objects(played.events, events)
    assert [made[2] for made in played.verdicts] == ["tool_call t2", "tool_call t1"]


async def test_no_tool_call_begins_to_leave_before_the_last_is_judged() -> None:
    bench = Bench("t1", "t2")
    bench.verdicts["t1"].set_result(allow())
    played = prepared(active(on_tool_call=bench.on_tool_call))
    run = through(played.executor, Source([[event] for event in answer(Text("so"), LS, PWD)]).stream())
    left: list[Event] = []
    for _ in range(4):
        left += await anext(run)
    rest = asyncio.create_task(collect(run))
    await bench.asked["t2"].wait()
    assert "tool_call" not in repr(left)
    assert not rest.done()
    bench.verdicts["t2"].set_result(block("no"))
    left += await rest
    check_grammar(left)


async def test_live_text_before_a_tool_call_is_not_held_back_by_it() -> None:
    bench = Bench("t1")
    events = answer(Text("hello"), LS, stop="tool_use")
    played = prepared(active(on_tool_call=bench.on_tool_call))
    run = through(played.executor, Source([events]).stream())
    assert same_objects(await anext(run), events[:5])
    rest = asyncio.create_task(collect(run))
    await bench.asked["t1"].wait()
    assert not rest.done()
    bench.verdicts["t1"].set_result(allow())
    assert same_objects(await rest, events[5:])


async def test_what_is_ready_leaves_before_a_wait_begins_also_within_one_batch() -> None:
    bench = Bench("two")
    bench.verdicts["one"] = asyncio.get_running_loop().create_future()
    bench.asked["one"] = asyncio.Event()
    bench.verdicts["one"].set_result(allow())
    events = answer(Text("one"), Text("two"))
    run = through(prepared(active(on_text=bench.on_text)).executor, Source([events]).stream())
    assert same_objects(await anext(run), events[:1])
    assert same_objects(await anext(run), events[1:4])
    bench.verdicts["two"].set_result(allow())
    assert same_objects(await anext(run), events[4:])


async def test_texts_are_judged_one_by_one() -> None:
    bench = Bench("one", "two")
    run = through(prepared(active(on_text=bench.on_text)).executor, Source([answer(Text("one"), Text("two"))]).stream())
    playing = asyncio.create_task(collect(run))
    await bench.asked["one"].wait()
    assert not bench.asked["two"].is_set()
    bench.verdicts["one"].set_result(allow())
    await bench.asked["two"].wait()
    bench.verdicts["two"].set_result(allow())
    check_grammar(await playing)


async def test_a_tool_call_that_the_provider_ran_keeps_its_place_while_it_is_judged() -> None:
    bench = Bench("s1")
    events = answer(SEARCH, Opaque("web_search_tool_result"), Text("found"))
    playing = asyncio.create_task(play(events, active(on_tool_call=bench.on_tool_call)))
    await bench.asked["s1"].wait()
    bench.verdicts["s1"].set_result(allow())
    assert same_objects((await playing).events, events)


async def test_one_policy_does_not_wait_for_another_ones_tool_calls() -> None:
    first, second = Bench("t1", "t2"), Bench("t1", "t2")
    first.verdicts["t1"].set_result(allow())
    source = Source([[event] for event in answer(LS, PWD, stop="tool_use")])
    playing = asyncio.create_task(
        play(source, active("a", on_tool_call=first.on_tool_call), active("b", on_tool_call=second.on_tool_call))
    )
    await first.asked["t2"].wait()
    first.verdicts["t2"].set_result(allow())
    await second.asked["t1"].wait()
    await second.asked["t2"].wait()
    second.verdicts["t2"].set_result(block("no"))
    second.verdicts["t1"].set_result(allow())
    assert (await playing).response.tool_calls == (LS,)


async def test_a_replaced_text_waits_for_the_next_policys_verdict_on_each_part() -> None:
    bench = Bench("one", "two")
    first = active("a", on_text=lambda text, call: replace((Text("one"), Text("two"))))
    playing = asyncio.create_task(play(answer(Text("x")), first, active("b", on_text=bench.on_text)))
    await bench.asked["one"].wait()
    bench.verdicts["one"].set_result(allow())
    await bench.asked["two"].wait()
    bench.verdicts["two"].set_result(stop("no"))
    played = await playing
    assert played.texts[0] == "one"
    assert len(played.texts) == 2


async def test_an_aside_in_a_held_block_keeps_its_place_and_one_behind_the_end_passes() -> None:
    events = answer(Text("hello"), LS)
    events.insert(3, Aside())
    events.append(Aside())
    played = await play(events, active(on_text=lambda text, call: allow(), on_tool_call=lambda text, call: allow()))
    assert same_objects(played.events, events)


async def test_a_stop_in_mid_batch_reads_nothing_more() -> None:
    seen: list[str] = []
    first = active("a", on_text=lambda text, call: noting(seen, text.text, allow()))
    second = active("b", on_text=lambda text, call: stop("no"))
    await play(Source([answer(Text("one"), Text("two"))]), first, second)
    assert seen == ["one"]


async def test_a_batch_of_live_text_leaves_as_a_batch() -> None:
    events = answer(Text("hello you all"))
    played = await play(Source([events]), active(on_text_delta=lambda text, call, final: (text, 0)))
    assert len(played.batches) == 1
    assert sum(isinstance(event, BlockDelta) for event in played.batches[0]) == 5
