"""The Celery worker and beat that `manage.py up` runs beside the server: `python -m luthien_site.worker PARENT_PID`.

It leaves when its parent dies, however that dies, and its beat, a process of its own, leaves with it.
"""

import ctypes
import os
import signal
import sys
import threading
import time
import warnings

PR_SET_PDEATHSIG = 1


def leave_with(parent: int) -> None:
    """Ends this process by SIGTERM once `parent` is no longer its parent."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    # Elsewhere than on Linux nothing else tells; on Linux the parent may have died before the call above.
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)


def main(parent: int) -> None:
    leave_with(parent)
    from celery.platforms import SecurityWarning
    from celery.signals import beat_embedded_init

    from luthien_site.celery import app

    worker = os.getpid()

    def follow(**_: object) -> None:
        # Neither the watching thread nor Linux's promise survives the fork that makes beat.
        leave_with(worker)

    beat_embedded_init.connect(follow, weak=False)

    # Celery warns of root because of pickled messages; ours are JSON.
    warnings.simplefilter("ignore", SecurityWarning)
    # Threads, because PostgreSQL's connection pool does not survive a fork.
    app.worker_main(
        [
            "--quiet",
            "worker",
            "--beat",
            "--pool",
            "threads",
            "--concurrency",
            "4",
            "--loglevel",
            "WARNING",
            "--without-gossip",
        ]
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))
