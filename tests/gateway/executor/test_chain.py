from gateway.executor.chain import Chain
from gateway.executor.judge import Judge
from gateway.executor.stopwatch import Stopwatch
from gateway.executor.watch import Watch
from policies.base import Call

from .playing import active


async def test_what_does_not_wait_has_nothing_to_settle() -> None:
    watch = Watch(Judge(active(on_event=lambda event, call: event), Call(), print, 0.0, Stopwatch()))
    assert not watch.waiting
    assert await watch.settle() == []
    chain = Chain([watch], gate=None, single=True)  # type: ignore[arg-type]
    assert not chain.waiting
    assert await chain.settle() == []
