import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from luthien_site import first_start

pytestmark = pytest.mark.django_db


def test_the_first_admin_gets_a_made_up_password_that_opens_the_admin(client: Client) -> None:
    password = first_start.first_admin("")
    assert len(password) >= 16
    assert client.login(username="admin", password=password)
    assert client.get("/admin/").status_code == 200


def test_the_password_is_stored_hashed() -> None:
    password = first_start.first_admin("")
    assert password not in get_user_model().objects.get(username="admin").password


def test_a_given_password_is_used_and_not_repeated(client: Client) -> None:
    assert first_start.first_admin("given-by-the-operator") == "as LUTHIEN_ADMIN_PASSWORD says"
    assert client.login(username="admin", password="given-by-the-operator")


def test_a_later_start_keeps_the_password(client: Client) -> None:
    password = first_start.first_admin("")
    assert first_start.first_admin("another") == "as before"
    assert client.login(username="admin", password=password)
