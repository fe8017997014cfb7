import pytest

from gateway.executor import stopwatch as stopwatch_module
from gateway.executor.stopwatch import Stopwatch
from policies.content import Text
from policies.verdicts import allow

from .playing import active, answer, play


def test_what_happens_side_by_side_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([10.0, 14.0, 15.0, 20.0, 21.0])
    monkeypatch.setattr(stopwatch_module, "perf_counter", lambda: next(now))
    stopwatch = Stopwatch()
    assert stopwatch.seconds == 0.0
    stopwatch.start()  # at 10
    stopwatch.start()
    assert stopwatch.seconds == 4.0
    stopwatch.stop()
    stopwatch.stop()  # at 15
    assert stopwatch.seconds == 5.0
    stopwatch.start()  # at 20
    stopwatch.stop()  # at 21
    assert stopwatch.seconds == 6.0


async def test_only_verdicts_in_force_count_as_held() -> None:
    events = answer(Text("hello"))
    played = await play(events, active(on_text=lambda text, call: allow()))
    assert played.executor.held > 0
    played = await play(events, active(on_text=lambda text, call: allow(), mode="shadow"))
    assert played.executor.held == 0.0
