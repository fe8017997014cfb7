from __future__ import annotations

import pytest

from observability.activity.batches import Shown
from observability.activity.cursors import Cursor
from observability.activity.memory import Backlog, Met


def events(*numbers: int) -> Shown:
    return Shown([{"at": number} for number in numbers])


def taken(backlog: Backlog, enough: int = 99) -> tuple[list[int], int]:
    pieces, missed = backlog.take(enough)
    return [event["at"] for piece in pieces for event in piece.events], missed


def test_a_slow_viewer_keeps_the_newest_and_is_told_how_many_it_missed() -> None:
    backlog = Backlog(3)
    backlog.add(events(1, 2))
    backlog.add(events(3, 4, 5))
    assert len(backlog) == 3
    assert taken(backlog) == ([3, 4, 5], 2)
    assert taken(backlog) == ([], 0)
    backlog.add(events(1, 2, 3, 4, 5))
    backlog.add(events(6))
    assert taken(backlog) == ([4, 5, 6], 3)


def test_what_is_behind_is_taken_piece_by_piece() -> None:
    backlog = Backlog(9)
    for piece in (events(1, 2), events(3, 4), events(5)):
        backlog.add(piece)
    assert taken(backlog, 3) == ([1, 2, 3, 4], 0)
    assert len(backlog) == 1
    assert taken(backlog, 3) == ([5], 0)


def test_an_id_is_new_once_as_long_as_it_is_remembered() -> None:
    met = Met(2)
    assert [met.add(id) for id in ("a", "a", "b", "c", "a")] == [True, False, True, True, True]
    assert "c" in met and "b" not in met
    met.forget()
    assert "a" not in met


def test_a_cursor_is_read_as_it_was_written() -> None:
    assert Cursor.read(str(Cursor(1_700_000_000_000_001, 1_600))) == Cursor(1_700_000_000_000_001, 1_600)
    assert Cursor.read("10-20") == Cursor(10, 10)


@pytest.mark.parametrize("text", ["", "-", "1", "1-", "-1-2", "1-2x", "x", "1" * 18 + "-1", "\u0661-1", "1-2\n"])
def test_what_is_no_cursor_is_none(text: str) -> None:
    assert Cursor.read(text) is None
