import dataclasses

import pytest

from policies.base import Call
from policies.memory import LONGEST, MOST_NAMES, MemoryFailed, ProcessMemory
from policies.testing import remembering


async def test_the_first_value_stays_until_the_session_was_not_used_for_long() -> None:
    memory = ProcessMemory(most_sessions=2)
    for session in ("one", "two", "one", "three"):
        await memory.first_seen(("p", "enforce", session), {"a": session})
    assert await memory.first_seen(("p", "enforce", "one"), {"a": "later"}) == {"a": "one"}
    assert await memory.first_seen(("p", "enforce", "two"), {"a": "later"}) == {"a": "later"}


async def test_one_session_cannot_fill_the_memory() -> None:
    memory = ProcessMemory()
    with pytest.raises(MemoryFailed):
        await memory.first_seen(("p", "enforce", "s"), {str(number): "" for number in range(MOST_NAMES + 1)})
    assert await memory.first_seen(("p", "enforce", "s"), {"a": "1"}) == {"a": "1"}


async def test_a_call_without_a_gateway_sees_all_for_the_first_time() -> None:
    call = Call()
    for value in ("1", "2"):
        assert await call.first_seen({"a": value}) == {"a": value}


@pytest.mark.parametrize("values", [{"a" * (LONGEST + 1): ""}, {"a": "b" * (LONGEST + 1)}])
async def test_what_is_long_is_not_remembered(values: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="characters"):
        await Call().first_seen(values)


async def test_authors_can_try_several_calls_of_a_session() -> None:
    first = remembering(Call(session="s", policy="p"))
    assert await first.first_seen({"a": "1"}) == {"a": "1"}
    assert await dataclasses.replace(first, id="call_2").first_seen({"a": "2"}) == {"a": "1"}
    assert await dataclasses.replace(first, session="t").first_seen({"a": "2"}) == {"a": "2"}
