from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from observability.models import AuditEvent

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("ada", password="old password"))
    AuditEvent.objects.all().delete()
    return client


def events() -> list[tuple[str, str, str]]:
    return [(event.actor, event.action, event.subject) for event in AuditEvent.objects.order_by("sequence")]


def test_users_made_changed_and_deleted_in_the_admin_are_on_record(admin: Client) -> None:
    password = "a long passphrase"
    form = {"username": "grace", "password1": password, "password2": password, "usable_password": "true"}
    assert admin.post("/admin/auth/user/add/", form).status_code == 302
    grace = User.objects.get(username="grace")
    dates = {"date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
    changed = {"username": "grace", "is_superuser": "on", "is_active": "on", **dates}
    assert admin.post(f"/admin/auth/user/{grace.pk}/change/", changed).status_code == 302
    assert admin.post(f"/admin/auth/user/{grace.pk}/delete/", {"post": "yes"}).status_code == 302
    assert events() == [
        ("", "user.appeared", "grace"),
        ("ada", "user.created", "grace"),
        ("ada", "user.changed", "grace"),
        ("ada", "user.deleted", "grace"),
        ("", "user.disappeared", "grace"),
    ]
    detail = AuditEvent.objects.get(action="user.changed").detail
    assert "Superuser status" in str(detail)
    assert password not in str(list(AuditEvent.objects.values_list("detail")))


def test_groups_are_on_record(admin: Client) -> None:
    assert admin.post("/admin/auth/group/add/", {"name": "team:payments"}).status_code == 302
    assert events() == [("ada", "group.created", "team:payments")]
    group = Group.objects.get(name="team:payments")
    action = {"action": "delete_selected", "_selected_action": [group.pk], "post": "yes"}
    assert admin.post("/admin/auth/group/", action).status_code == 302
    assert events()[1:] == [("ada", "group.deleted", "team:payments")]


def test_a_password_of_ones_own_is_on_record_and_a_login_is_no_change(admin: Client) -> None:
    form = {"old_password": "old password", "new_password1": "a new passphrase", "new_password2": "a new passphrase"}
    assert admin.post("/admin/password_change/", form).status_code == 302
    assert events() == [("", "user.password_changed", "ada")]
    assert Client().login(username="ada", password="a new passphrase")
    assert [action for _, action, _ in events()] == ["user.password_changed", "user.logged_in"]
