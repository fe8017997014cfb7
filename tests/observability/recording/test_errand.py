import threading

import pytest

from observability.recording.errand import Errand


def test_it_runs_beside_its_caller_and_tells_when_it_is_over() -> None:
    gate, over = threading.Event(), threading.Event()

    def work() -> int:
        gate.wait(10)
        return 7

    errand = Errand(work, over.set)
    assert not errand.is_done
    gate.set()
    assert over.wait(10)
    assert errand.is_done
    assert errand.result() == 7


def test_what_it_raises_is_raised_to_whoever_asks() -> None:
    over = threading.Event()
    errand = Errand(lambda: 1 // 0, over.set)
    assert over.wait(10)
    with pytest.raises(ZeroDivisionError):
        errand.result()
