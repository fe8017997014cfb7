from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from observability.jobs import turns
from observability.models import Turn

pytestmark = pytest.mark.django_db


def last(seconds: float) -> None:
    """The last turn was that long ago."""
    Turn.objects.update_or_create(name="sweep", defaults={"at": timezone.now() - timedelta(seconds=seconds)})


def test_a_turn_is_taken_once() -> None:
    assert turns.take("sweep", 60)
    assert not turns.take("sweep", 60)
    assert turns.take("another", 60)


@pytest.mark.parametrize(("ago", "is_due"), [(0, False), (30, False), (40, False), (50, True), (-59, False)])
def test_a_turn_comes_again_in_its_time(ago: float, is_due: bool) -> None:
    last(ago)
    assert turns.take("sweep", 60) == is_due


def test_a_clock_that_was_put_back_does_not_stop_the_turns() -> None:
    last(-3600)
    assert turns.take("sweep", 60)


def test_two_beats_run_a_task_once() -> None:
    ran: list[str] = []

    @turns.in_turn(60)
    def sweep() -> None:
        ran.append("sweep")

    sweep()
    sweep()
    assert ran == ["sweep"]
    last(60)
    sweep()
    assert ran == ["sweep", "sweep"]
