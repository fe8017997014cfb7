"""Who may not see what is said in calls finds no word of it on any page, of any address that the matrix knows."""

from __future__ import annotations

from collections.abc import AsyncIterable
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import Group, Permission, User
from django.test import Client

from luthien_site import roles
from tests.console import seed
from tests.luthien_site.matrix import PAGES

CALL = seed.WHISPERED
MORE = (
    f"policies/playground/?call={CALL}",
    f"debug/diff?a={CALL}",
    "review/?show=failed&q=policy:judge",
    "calls/?q=key:ci",
)


@pytest.fixture
def client(transactional_db: None) -> Client:
    """Of an admin whose group an admin took the right from."""
    roles.make()
    Group.objects.get(name="admin").permissions.remove(Permission.objects.get(codename="view_body"))
    user = User.objects.create_user("somebody", is_staff=True)
    user.groups.set(Group.objects.filter(name="admin"))
    client = Client()
    client.force_login(user)
    return client


def test_no_page_tells_a_word_to_who_may_see_none(client: Client) -> None:
    seed.fill(seed.whispered)
    pages = [row.path or row.route for row in PAGES if row.method == "GET"]
    addresses = [page.replace("call_1", CALL) for page in pages if page != "activity/stream"]
    telling, shown = [], 0
    for address in (*addresses, *MORE):
        answer = client.get(f"/{address}")
        said = content(answer)
        shown += answer.status_code == 200 and CALL.encode() in said
        if seed.WHISPER.encode() in said:
            telling.append(address)
    assert telling == []
    assert shown > 8, "the pages of the call are not among those that were looked at"


def content(answer: Any) -> bytes:
    if not answer.streaming:
        return bytes(answer.content)
    return async_to_sync(joined)(answer) if answer.is_async else b"".join(answer)


async def joined(answer: AsyncIterable[bytes]) -> bytes:
    return b"".join([piece async for piece in answer])
