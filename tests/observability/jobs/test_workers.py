from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import DatabaseError
from django.utils import timezone

from observability.jobs import workers
from observability.models import Worker


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.django_db(transaction=True)
def test_a_worker_is_alive_from_its_start_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now()
    Worker.objects.create(name="killed", started_at=now, heartbeat_at=now - workers.SILENT_AFTER * 2)
    Worker.objects.create(name="forgotten", started_at=now, heartbeat_at=now - timedelta(days=2))
    pulse = workers.Pulse(seconds=0.01)
    failures = iter([DatabaseError])
    beat = pulse._beat

    def beat_at_the_second_try(began: datetime) -> None:
        for failure in failures:
            raise failure
        beat(began)

    monkeypatch.setattr(pulse, "_beat", beat_at_the_second_try)
    pulse.start()
    until(lambda: set(Worker.objects.values_list("name", flat=True)) == {"killed", pulse.name})
    assert [each.name for each in workers.alive()] == [pulse.name]
    pulse.stop()
    assert [each.name for each in Worker.objects.all()] == ["killed"]
