from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client

from observability import audit, logins
from observability.logins import FAILED, MOST_FAILURES, THROTTLED, WITHIN, is_throttled
from observability.models import AuditEvent

pytestmark = pytest.mark.django_db
HERE, THERE = "10.0.0.1", "10.0.0.2"


def fail(times: int, name: str = "", address: str = HERE) -> None:
    for _ in range(times):
        audit.record(actor="", action=FAILED, subject=name, detail={"address": address})


@pytest.fixture
def gandalf() -> User:
    return User.objects.create_superuser("gandalf", password="speak friend")


def test_ten_failures_make_one_wait_and_nine_do_not(gandalf: User) -> None:
    fail(MOST_FAILURES - 1, "gandalf")
    assert not is_throttled("gandalf", HERE)
    fail(1, "gandalf")
    assert is_throttled("gandalf", HERE)


def test_others_and_other_addresses_do_not_wait(gandalf: User) -> None:
    User.objects.create_user("frodo")
    fail(MOST_FAILURES, "gandalf")
    assert not is_throttled("frodo", HERE)
    assert not is_throttled("gandalf", THERE)


def test_names_that_nobody_has_count_as_one() -> None:
    fail(MOST_FAILURES)
    assert is_throttled("nobody", HERE)
    assert is_throttled("\0", HERE)


def test_failures_are_forgotten_and_the_refusal_is_told_once(gandalf: User, monkeypatch: pytest.MonkeyPatch) -> None:
    fail(MOST_FAILURES, "gandalf")
    assert is_throttled("gandalf", HERE) and is_throttled("gandalf", HERE)
    (event,) = AuditEvent.objects.filter(action=THROTTLED)
    assert (event.subject, event.detail) == ("gandalf", {"address": HERE})

    class Later(datetime):
        @classmethod
        def now(cls, tz: object = None) -> "Later":
            return cls.fromtimestamp((datetime.now(UTC) + WITHIN + timedelta(seconds=1)).timestamp(), UTC)

    monkeypatch.setattr(logins, "datetime", Later)
    assert not is_throttled("gandalf", HERE)


@pytest.mark.parametrize("path", ["/login/", "/admin/login/"])
def test_the_right_password_does_not_help_until_then(client: Client, gandalf: User, path: str) -> None:
    wrong, right = ({"username": "gandalf", "password": words} for words in ("wrong", "speak friend"))
    for _ in range(MOST_FAILURES):
        assert "Too many logins" not in client.post(path, wrong).content.decode()
    answer = client.post(path, right)
    assert "Too many logins failed. Try again in 5 minutes." in answer.content.decode()
    assert AuditEvent.objects.filter(action=FAILED).count() == MOST_FAILURES
    AuditEvent.objects.all().delete()
    assert client.post(path, right).status_code == 302


def test_who_is_no_staff_still_does_not_get_into_the_admin(client: Client) -> None:
    User.objects.create_user("frodo", password="a ring")
    answer = client.post("/admin/login/", {"username": "frodo", "password": "a ring"})
    assert answer.status_code == 200
