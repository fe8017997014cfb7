"""The tool calls of a session along its time, as marks of a drawing. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

WIDTH = 1000
LANE = 14
MOST_LANES = 8
PAUSE = 0.06
"""The share of a drawing that a pause takes at most: people go for lunch, and agents would be a dot beside it."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A tool call: when (in microseconds), in which thread, and what to say of it."""

    at: int
    thread: str
    call: str
    tone: str
    label: str


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a moment is drawn. `x` is from 0 to WIDTH, `y` the middle of its thread's lane."""

    x: int
    y: int
    moment: Moment


@dataclass(frozen=True, slots=True)
class Drawing:
    """`lanes` are the middles of lanes. `is_shortened`: pauses are drawn shorter than they were."""

    marks: Sequence[Mark]
    lanes: Sequence[int]
    height: int
    is_shortened: bool


def draw(moments: Sequence[Moment], threads: Sequence[str]) -> Drawing:
    """Marks in the order of time, a lane for each of `threads` that has any; the last lane takes all that are left."""
    ordered = sorted(moments, key=lambda moment: moment.at)
    with_marks = {moment.thread for moment in ordered}
    used = [thread for thread in threads if thread in with_marks]
    lane = {thread: min(place, MOST_LANES - 1) for place, thread in enumerate(used)}
    lanes = [place * LANE + LANE // 2 for place in range(min(len(used), MOST_LANES))]
    places, is_shortened = _places([moment.at for moment in ordered])
    marks = [Mark(x, lanes[lane[moment.thread]], moment) for x, moment in zip(places, ordered, strict=True)]
    return Drawing(marks, lanes, LANE * max(len(lanes), 1), is_shortened)


def _places(times: Sequence[int]) -> tuple[list[int], bool]:
    """Where times that rise are drawn, and whether a pause among them was shortened."""
    gaps = [later - earlier for earlier, later in pairwise(times)]
    longest = _longest(gaps)
    drawn = [min(gap, longest) for gap in gaps]
    total = sum(drawn) or 1
    places, at = [0] * min(len(times), 1), 0
    for gap in drawn:
        at += gap
        places.append(round(at / total * WIDTH))
    return places, drawn != gaps


def _longest(gaps: Sequence[int]) -> int:
    """How long a pause may be drawn, so that none takes much more than its share of what the others take."""
    if not gaps:
        return 0
    middle = sorted(gaps)[len(gaps) // 2]
    return max(round(sum(gap for gap in gaps if gap <= middle * 4) * PAUSE), middle * 4, 1)
