"""A child process that is begun again when it dies, and ended in good order."""

import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import structlog

log = structlog.get_logger(__name__)
Begin = Callable[[], "subprocess.Popen[bytes]"]


@contextmanager
def kept_running(begin: Begin, *, pause: float, patience: float) -> Iterator[None]:
    """Within, what `begin` starts runs; `pause` seconds after it died it is started again.

    At the end it gets SIGTERM, and SIGKILL where it is not gone after `patience` seconds.
    """
    kept = _Kept(begin, pause)
    kept.start()
    try:
        yield
    finally:
        kept.end(patience)


class _Kept(threading.Thread):
    def __init__(self, begin: Begin, pause: float) -> None:
        super().__init__(name="supervising", daemon=True)
        self._begin = begin
        self._pause = pause
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._process = begin()

    def run(self) -> None:
        while True:
            status = self._process.wait()
            # One that cannot start must not take the machine.
            if self._over.wait(self._pause):
                return
            with self._lock:
                if self._over.is_set():
                    return
                log.warning("a process died and is begun again", status=status)
                with suppress(OSError):  # no memory, or no room for another process: at the next turn
                    self._process = self._begin()

    def end(self, patience: float) -> None:
        with self._lock:
            self._over.set()
        self._process.terminate()
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self.join()
