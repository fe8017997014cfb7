import pytest
from django.contrib.auth.models import AnonymousUser, Group, Permission, User

from observability.viewers import sees_bodies, sees_calls, teams_of, visible_call
from tests.observability.test_queries import add


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


def reader(*rights: str) -> User:
    user = User.objects.create_user("-".join(rights))
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    return User.objects.get(pk=user.pk)


@pytest.mark.django_db
def test_what_is_said_is_seen_with_a_right_of_its_own_beside_that_to_calls() -> None:
    assert sees_bodies(reader("view_callrecord", "view_body"))
    assert not sees_bodies(reader("view_callrecord"))
    assert not sees_bodies(reader("view_body"))
    assert not sees_bodies(AnonymousUser())


@pytest.mark.django_db
def test_a_call_comes_as_far_as_it_may_be_seen() -> None:
    add(1, team="payments", error_message="said")
    assert visible_call(reader("view_body"), "call_001") is None
    said = [visible_call(reader("view_callrecord", *more), "call_001") for more in ([], ["view_body"])]
    assert [call.error_message for call in said if call] == ["(redacted)", "said"]
