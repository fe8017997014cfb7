"""Each role before each page: what the table says, no more and no less. A page without a row is a failure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from luthien_site import roles
from tests.luthien_site.matrix import ELSEWHERE, PAGES, ROLES, Row
from tests.luthien_site.objects import make

GROUPS: dict[str, list[str]] = {
    "somebody in no group": [],
    "a member of the team payments": ["team", "team:payments"],
    "a member of the team research": ["team", "team:research"],
    "a reviewer": ["reviewer"],
    "an auditor": ["auditor"],
    "a policy author": ["policy author"],
    "an admin": ["admin"],
    "an admin of the team research": ["admin", "team:research"],
}


def routes(resolver: URLResolver | None = None, before: str = "") -> Iterator[str]:
    """Every route of the site, as its URLconf has it."""
    for pattern in (resolver or get_resolver()).url_patterns:
        route = f"{before}{pattern.pattern}"
        if isinstance(pattern, URLPattern):
            yield route
        else:
            yield from routes(pattern, route)


def test_every_route_has_a_row() -> None:
    known = {row.route for row in PAGES}
    missing = [route for route in routes() if route not in known and not route.startswith(tuple(ELSEWHERE))]
    assert missing == [], "say in tests/luthien_site/matrix.py who may see these"
    assert known <= set(routes()), "these rows are of pages that are gone"


@pytest.fixture
def site(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    async def read(look: Any, *args: Any) -> Any:
        # The test's connection, which alone sees its transaction.
        return await sync_to_async(look)(*args)

    monkeypatch.setattr("observability.activity.history.read", read)
    roles.make()
    make()


def browser(role: str) -> Client:
    client = Client(raise_request_exception=False)
    if role == ROLES[0]:
        return client
    user = User.objects.create_user("somebody", is_superuser=role == "a superuser")
    user.groups.set(Group.objects.get_or_create(name=name)[0] for name in GROUPS.get(role, ()))
    client.force_login(user)
    return client


def mark(client: Client, row: Row) -> str:
    """What becomes of the request, which leaves nothing behind."""
    with transaction.atomic():
        address = f"/{row.path or row.route}"
        answer = client.post(address, row.data) if row.method == "POST" else client.get(address)
        transaction.set_rollback(True)
    status = answer.status_code
    if status == 302 and answer["Location"].startswith("/login/"):
        return "L"
    return {401: "L", 403: "-", 404: "0"}.get(status, "+" if status < 404 or status in (409, 410, 422) else str(status))


@pytest.mark.parametrize("role", ROLES)
def test_it_sees_what_the_table_says(site: None, role: str) -> None:
    client, place = browser(role), ROLES.index(role)
    found = {(row.method, row.path or row.route): (mark(client, row), row.marks.split()[place]) for row in PAGES}
    assert {page: marks for page, marks in found.items() if marks[0] != marks[1]} == {}
