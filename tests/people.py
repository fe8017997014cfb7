"""People who are logged in, and what pages say to them."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth.models import Group, Permission, User
from django.test import Client

from luthien_site import roles

READS_CALLS = ("view_callrecord", "view_body")


def browser_of(name: str, *rights: str, groups: Iterable[str] = (), staff: bool = False) -> Client:
    """A browser of somebody new with these permissions and in these groups, which are made where they are not there."""
    user = User.objects.create_user(name, is_staff=staff)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    user.groups.set(Group.objects.get_or_create(name=each)[0] for each in groups)
    client = Client()
    client.force_login(user)
    return client


def member_of(*groups: str) -> Client:
    """A browser of `someone` in these groups, with the rights that the groups of roles have from the first start."""
    roles.make()
    return browser_of("someone", groups=groups)


def page(client: Client, path: str, status: int = 200) -> str:
    """The page at that path, which has to be answered with that status."""
    answer = client.get(path)
    assert answer.status_code == status
    return answer.content.decode()
