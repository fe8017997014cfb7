from collections.abc import Iterator
from threading import Event, Thread

import pytest

from observability.figures.seldom import SHARE, Seldom


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_was_found_is_kept_as_long_as_looking_took_and_twenty_times_more() -> None:
    clock, looks = Clock(), iter(range(10))

    def look() -> int:
        clock.now += 2
        return next(looks)

    seldom = Seldom(look, clock)
    assert [seldom.value(), seldom.value()] == [0, 0]
    clock.now = 2 + 2 / SHARE - 0.1
    assert seldom.value() == 0
    clock.now += 0.2
    assert seldom.value() == 1


def while_looking(seldom: Seldom[str], began: Event, go_on: Event) -> list[str]:
    """What two readers get, the second of whom comes while the first is looking."""
    found: list[str] = []
    readers = [Thread(target=lambda: found.append(seldom.value())) for _ in range(2)]
    readers[0].start()
    began.wait(10)
    readers[1].start()
    if seldom._known is not None:
        readers[1].join(10)
    go_on.set()
    for reader in readers:
        reader.join(10)
    return found


def slow(began: Event, go_on: Event, looks: list[int]) -> str:
    looks.append(1)
    began.set()
    go_on.wait(10)
    return "found"


def test_nobody_waits_for_a_look_where_there_is_something_meanwhile() -> None:
    began, go_on, looks = Event(), Event(), list[int]()
    seldom = Seldom(lambda: slow(began, go_on, looks), meanwhile="nothing yet")
    assert while_looking(seldom, began, go_on) == ["nothing yet", "found"]


def test_where_there_is_nothing_the_second_waits_and_does_not_look_again() -> None:
    began, go_on, looks = Event(), Event(), list[int]()
    clock = Clock()

    def look() -> str:
        found = slow(began, go_on, looks)
        clock.now += 1
        return found

    seldom: Seldom[str] = Seldom(look, clock)
    assert while_looking(seldom, began, go_on) == ["found", "found"]
    assert len(looks) == 1


def test_a_look_that_fails_lets_the_next_one_try() -> None:
    answers: Iterator[ValueError | str] = iter([ValueError("away"), "found"])

    def look() -> str:
        answer = next(answers)
        if isinstance(answer, ValueError):
            raise answer
        return answer

    seldom = Seldom(look)
    with pytest.raises(ValueError):
        seldom.value()
    assert seldom.value() == "found"
