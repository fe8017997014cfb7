"""A worker that dies by SIGKILL once a backtest has stored some calls: `python -m tests.console.dying PARENT_PID`."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any


def main(parent: int) -> None:
    os.setsid()  # or whoever started it would die, too
    import django

    import luthien_site.celery  # noqa: F401 (the application that jobs are sent through)

    django.setup()
    from gateway.console.backtest.models import BacktestCall
    from luthien_site import worker

    store = BacktestCall.objects.bulk_create

    def store_and_die(*args: Any, **options: Any) -> None:
        store(*args, **options)
        os.killpg(0, signal.SIGKILL)  # with the beat that the worker has beside it

    setattr(BacktestCall.objects, "bulk_create", store_and_die)  # noqa: B010 (mypy)
    worker.main(parent)


if __name__ == "__main__":
    main(int(sys.argv[1]))
