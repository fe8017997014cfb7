from pathlib import Path

from luthien_site.proofs.registry import Order
from luthien_site.proofs.viewers import TIMED, Calls, Seen, finding, run


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
