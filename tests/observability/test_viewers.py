import pytest
from django.contrib.auth.models import AnonymousUser, Group, Permission, User

from observability.viewers import sees_calls, teams_of


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("groups", "teams"),
    [
        ([], None),
        (["auditors", "TEAM:a", "my team:a"], None),
        (["auditors", "team:a"], ["a"]),
        (["team:a", "team:b"], ["a", "b"]),
        (["team:"], [""]),
    ],
)
def test_groups_of_teams_limit_what_is_seen_and_others_do_not(groups: list[str], teams: list[str] | None) -> None:
    user = User.objects.create_user("reviewer")
    user.groups.set(Group.objects.create(name=name) for name in groups)
    found = teams_of(user)
    assert (None if found is None else sorted(found)) == teams


@pytest.mark.django_db
def test_a_superuser_sees_all_teams_whatever_its_groups() -> None:
    user = User.objects.create_superuser("admin")
    user.groups.add(Group.objects.create(name="team:a"))
    assert teams_of(user) is None


@pytest.mark.django_db
def test_calls_are_seen_with_the_permission_alone() -> None:
    user = User.objects.create_user("reviewer", is_staff=True)
    assert not sees_calls(user)
    user.user_permissions.add(Permission.objects.get(codename="view_callrecord"))
    assert sees_calls(User.objects.get(pk=user.pk))
    assert not sees_calls(AnonymousUser())
