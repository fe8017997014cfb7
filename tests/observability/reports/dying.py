"""A worker that dies by SIGKILL at the step of building a report that it is told: `python dying.py STEP PARENT_PID`."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any


def die(*args: Any, **options: Any) -> None:
    os.killpg(0, signal.SIGKILL)  # with the beat that the worker has beside it


def after(step: Callable[..., Any]) -> Callable[..., Any]:
    def done(*args: Any, **options: Any) -> Any:
        step(*args, **options)
        die()

    return done


def prepare(step: str) -> None:
    """Let `step` kill this process; any other word lets it live."""
    from observability.reports import building
    from observability.reports.folder import put_in_place
    from observability.reports.writing import Draft

    ways: dict[str, tuple[Any, str, Callable[..., Any]]] = {
        "before": (building, "make", die),
        "in the rows": (Draft, "add_call", after(Draft.add_call)),
        "before packing": (building, "pack", die),
        "before the rename": (building, "put_in_place", die),
        "after the rename": (building, "put_in_place", after(put_in_place)),
        "after it was handed in": (building, "hand_in", after(building.hand_in)),
    }
    if step in ways:
        setattr(*ways[step])


def main(step: str, parent: int) -> None:
    os.setsid()  # or whoever started it would die of `die`, too
    import django

    import luthien_site.celery  # noqa: F401 (the application that jobs are sent through)

    django.setup()
    from luthien_site import worker
    from observability.jobs import jobs

    jobs.MOST_ATTEMPTS = 100
    usual, jobs.STUCK_AFTER = jobs.STUCK_AFTER, timedelta(0)
    jobs.look_after()
    jobs.STUCK_AFTER = usual
    prepare(step)
    worker.main(parent)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
