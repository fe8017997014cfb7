import pytest
from django.contrib.auth.models import Group, Permission, User

from luthien_site import roles
from observability.viewers import sees_calls, teams_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def made() -> None:
    roles.make()


def member(*groups: str) -> User:
    user = User.objects.create_user("-".join(groups))
    for name in groups:
        user.groups.add(Group.objects.get_or_create(name=name)[0])
    return User.objects.get(pk=user.pk)


def test_each_role_has_the_rights_of_its_work() -> None:
    rights = {role: member(role) for role in roles.ROLES}
    able = {
        permission: [role for role, user in rights.items() if user.has_perm(permission)]
        for permission in (
            *("policies.view_policy", "policies.add_policyversion", "policies.add_activation"),
            *(
                "observability.view_callrecord",
                "observability.view_body",
                "observability.add_report",
                "observability.add_review",
                "gateway.change_provider",
                "auth.change_user",
            ),
        )
    }
    assert able == {
        "policies.view_policy": ["admin", "policy author", "reviewer", "auditor"],
        "policies.add_policyversion": ["admin", "policy author"],
        "policies.add_activation": ["admin"],
        "observability.view_callrecord": ["admin", "policy author", "reviewer", "team"],
        "observability.view_body": ["admin", "policy author", "reviewer", "team"],
        "observability.add_report": ["admin", "reviewer", "auditor"],
        "observability.add_review": ["admin", "reviewer"],
        "gateway.change_provider": ["admin"],
        "auth.change_user": ["admin"],
    }


def test_every_pattern_of_a_role_names_a_permission() -> None:
    for patterns in roles.ROLES.values():
        assert all(list(roles._permissions((pattern,))) for pattern in patterns)


def test_a_member_of_a_team_sees_its_calls_alone_and_without_a_team_none() -> None:
    assert teams_of(member("team", "team:payments")) == ["payments"]
    lost = member("team")
    assert sees_calls(lost) and teams_of(lost) == []
    assert teams_of(member("reviewer")) is None


def test_a_group_that_is_there_stays_as_its_admins_made_it() -> None:
    group = Group.objects.get(name="reviewer")
    group.permissions.set(Permission.objects.filter(codename="view_policy"))
    roles.make()
    assert [permission.codename for permission in group.permissions.all()] == ["view_policy"]
    assert Group.objects.count() == len(roles.ROLES)
