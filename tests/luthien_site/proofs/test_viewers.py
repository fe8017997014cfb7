from pathlib import Path
from time import time

import pytest

from luthien_site.proofs.registry import Order
from luthien_site.proofs.viewers import TIMED, Calls, Seen, finding, run
from luthien_site.proofs.watchers import Told, Watcher


def test_ten_viewers_lose_nothing(tmp_path: Path) -> None:
    found = run(Order(tmp_path / "viewers", 1, False, lambda line: None), seconds=1.0, viewers=10)
    assert found.violations == []
    assert found.counts["calls while all watched"] == 50
    assert found.counts["events on record, for each viewer"] >= 50 * 6


def test_what_was_lost_late_or_slow_is_told() -> None:
    calls = Calls(quiet=[[1.0] * 20, [1.5] * 20], watched=[[3.0] * 20, [3.0] * 20])
    slow = finding(calls, Seen(events=9, lost=2, latest=1.2, gone=1), 100, TIMED)
    assert slow.violations == [
        "2 events were not seen by everybody",
        "1 viewers were sent away",
        "calls were slower by 1.8 ms (median); noise was 0.5 ms",
        "calls were slower by 1.8 ms (p95); noise was 0.5 ms",
        "an event was seen after 1.2 s",
    ]
    assert finding(calls, Seen(events=9, latest=1.2), 100, TIMED / 2).violations == []


def piece(id: str, at: float) -> bytes:
    return b'"id":"%b","kind":"verdict","at":%d,"call":"c"' % (id.encode(), at * 1_000_000)


def test_what_happened_before_a_viewer_was_there_is_seen_and_not_late() -> None:
    now = time()
    watcher = Watcher(Told())
    watcher.take([piece("a", now - 60)])
    assert watcher.latest == 0
    watcher.since = now - 10
    watcher.take([piece("b", now - 60), piece("c", now - 5), piece("d", now - 7), b": nothing new"])
    assert watcher.seen == {b"a", b"b", b"c", b"d"}
    assert watcher.latest == pytest.approx(7, abs=1)


def test_an_event_that_comes_twice_is_as_late_as_it_was_at_first() -> None:
    now = time()
    watcher = Watcher(Told(), since=0)
    watcher.take([piece("a", now)])
    watcher.told.at[b"a"] = now - 60
    watcher.take([b"event: verdict\ndata: {" + piece("a", now - 60)])
    assert watcher.latest < 30


def test_a_piece_is_read_once_for_all_viewers() -> None:
    told = Told()
    assert (told[piece("a", 1)], told[b"retry: 2000"]) == (b"a", b"")
    assert list(told) == [piece("a", 1), b"retry: 2000"]
    assert told.at == {b"a": 1.0}
