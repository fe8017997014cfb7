import pytest

from gateway import services
from gateway.reading import reader
from observability.api import Reader, Refused

pytestmark = pytest.mark.django_db


def _key(name: str, team: str | None = None, *, read: bool = False, call: bool = True) -> str:
    _, secret = services.create_key(name, team=team, read=read, call=call, actor="test")
    return secret


def test_a_reading_key_without_a_team_reads_all() -> None:
    secret = _key("auditor", read=True, call=False)
    assert reader({"Authorization": f"Bearer {secret}"}) == Reader("key auditor", None, bodies=True)
    assert reader({"X-Api-Key": secret}).teams is None


def test_a_reading_key_of_a_team_reads_that_team() -> None:
    assert reader({"x-api-key": _key("reviewer", "payments", read=True, call=False)}).teams == ["payments"]


def test_what_an_agent_carries_does_not_show_it_what_was_blocked() -> None:
    with pytest.raises(Refused) as caught:
        reader({"x-api-key": _key("agent")})
    assert caught.value.status == 403


@pytest.mark.parametrize("headers", [{}, {"x-api-key": "lth_unknown"}, {"authorization": "Basic abc"}])
def test_nobody_reads_without_a_key_of_ours(headers: dict[str, str]) -> None:
    with pytest.raises(Refused) as caught:
        reader(headers)
    assert caught.value.status == 401


def test_a_second_key_adds_no_rights() -> None:
    auditor, agent = _key("auditor", read=True, call=False), _key("agent")
    with pytest.raises(Refused):
        reader({"x-api-key": auditor, "authorization": f"Bearer {agent}"})


def test_a_revoked_key_reads_nothing_at_once() -> None:
    key, secret = services.create_key("auditor", read=True, call=False, actor="test")
    services.revoke_key(key, actor="test")
    with pytest.raises(Refused):
        reader({"x-api-key": secret})
