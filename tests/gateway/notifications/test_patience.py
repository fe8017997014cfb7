from __future__ import annotations

from datetime import timedelta

from gateway.notifications.patience import GIVE_UP_AFTER, wait


def test_each_wait_is_twice_the_one_before_up_to_two_hours() -> None:
    assert [wait(attempts).total_seconds() for attempts in (1, 2, 3, 10, 11, 50, 1000)] == [
        10, 20, 40, 5120, 7200, 7200, 7200,
    ]  # fmt: skip


def test_a_day_has_about_twenty_attempts() -> None:
    attempts, waited = 1, timedelta()
    while waited + wait(attempts) <= GIVE_UP_AFTER:
        waited += wait(attempts)
        attempts += 1
    assert attempts == 21
