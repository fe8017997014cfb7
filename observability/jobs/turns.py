"""One turn at a time for what beat begins: a second beat, or messages that piled up, do no harm."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import wraps

from django.db.models import Q
from django.utils import timezone

from observability.models import Turn

SHARE = 0.75
"""Of the time between two turns, what has to be over: beat is not punctual to the moment."""


def take(name: str, seconds: float) -> bool:
    """Whether the turn of `name`, which comes once in `seconds`, is ours."""
    now = timezone.now()
    # A turn far ahead is of a clock that has been put back since.
    due = Q(at__lte=now - timedelta(seconds=seconds * SHARE)) | Q(at__gt=now + timedelta(seconds=seconds))
    if Turn.objects.filter(due, name=name).update(at=now):
        return True
    return Turn.objects.get_or_create(name=name, defaults={"at": now})[1]


def in_turn(seconds: float) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """For a task that beat begins once in `seconds`: it does nothing where it is not its turn."""

    def wrap(task: Callable[[], None]) -> Callable[[], None]:
        @wraps(task)
        def taken() -> None:
            if take(task.__name__, seconds):
                task()

        return taken

    return wrap
