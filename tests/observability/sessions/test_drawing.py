from __future__ import annotations

from observability.sessions.drawing import LANE, MOST_LANES, WIDTH, Moment, draw

SECOND = 1_000_000


def moments(*times: float, thread: str = "t") -> list[Moment]:
    return [Moment(round(at * SECOND), thread, "call", "allowed", "bash") for at in times]


def test_no_tool_calls_are_an_empty_drawing() -> None:
    drawing = draw([], ["t"])
    assert (drawing.marks, drawing.lanes, drawing.height, drawing.is_shortened) == ([], [], LANE, False)


def test_marks_stand_along_the_time_whatever_order_they_come_in() -> None:
    drawing = draw(moments(4, 0, 2, 1, 3), ["t"])
    assert [mark.x for mark in drawing.marks] == [0, 250, 500, 750, WIDTH]
    assert not drawing.is_shortened
    assert [mark.x for mark in draw(moments(5), ["t"]).marks] == [0]
    assert [mark.x for mark in draw(moments(5, 5), ["t"]).marks] == [0, 0]


def test_a_long_pause_is_shortened_and_said_to_be() -> None:
    drawing = draw(moments(*range(100), 90_000, *range(90_001, 90_100)), ["t"])
    places = [mark.x for mark in drawing.marks]
    assert drawing.is_shortened
    assert 0 < places[100] - places[99] <= 0.15 * WIDTH
    assert places[-1] == WIDTH


def test_each_thread_has_a_lane_and_the_last_takes_what_is_left() -> None:
    threads = [f"t{number}" for number in range(MOST_LANES + 3)]
    told = [moment for place, thread in enumerate(threads) for moment in moments(place, thread=thread)]
    drawing = draw(told, ["without", *threads])
    assert len(drawing.lanes) == MOST_LANES
    assert [mark.y for mark in drawing.marks][-4:] == [drawing.lanes[-1]] * 4
    assert drawing.marks[0].y == drawing.lanes[0]
    assert drawing.height == LANE * MOST_LANES
