from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import path

from observability import api
from observability.api import Reader, Refused
from observability.models import CallRecord
from tests.observability.test_queries import add

urlpatterns = [path("debug/", api.api.urls)]
pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


def check(headers: Mapping[str, str]) -> Reader:
    match headers["authorization"]:
        case "Bearer all":
            return Reader("key all", None)
        case "Bearer payments":
            return Reader("key payments", ["payments"])
        case "Bearer agent":
            raise Refused(403, "This key calls models; it reads no records.")
        case _:
            raise Refused(401, "Unknown key.")


@pytest.fixture(autouse=True)
def key_check(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(api, "_key_check", None)
    api.register_key_check(check)
    yield


def get(url: str, key: str = "all") -> tuple[int, Any]:
    response = Client().get(url, headers={"authorization": f"Bearer {key}"})
    return response.status_code, response.json()


def test_the_list_has_filters_and_pages() -> None:
    for number in range(3):
        add(number, team="payments" if number else "other")
    status, page = get("/debug/calls?limit=2")
    assert (status, [call["id"] for call in page["calls"]]) == (200, ["call_002", "call_001"])
    _, rest = get(f"/debug/calls?limit=2&before={page['older']}")
    assert ([call["id"] for call in rest["calls"]], rest["older"]) == (["call_000"], "")
    assert [call["id"] for call in get("/debug/calls?team=other")[1]["calls"]] == ["call_000"]


def test_a_key_of_a_team_reads_its_team_alone() -> None:
    add(1, team="payments")
    add(2, team="other")
    assert [call["id"] for call in get("/debug/calls", "payments")[1]["calls"]] == ["call_001"]
    assert get("/debug/calls/call_001", "payments")[0] == 200
    assert get("/debug/calls/call_002", "payments")[0] == 404
    assert get("/debug/calls/call_002/diff", "payments")[0] == 404


@pytest.mark.parametrize("url", ["/debug/calls", "/debug/calls/call_001", "/debug/calls/call_001/diff"])
@pytest.mark.parametrize(("key", "status"), [("agent", 403), ("nobody", 401)])
def test_a_key_that_may_not_read_gets_an_error_in_json(url: str, key: str, status: int) -> None:
    add(1)
    answer = get(url, key)
    assert answer[0] == status
    assert set(answer[1]["error"]) == {"type", "message"}


def test_without_a_key_check_no_key_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "_key_check", None)
    assert get("/debug/calls")[0] == 403


def test_a_user_reads_with_the_permission_and_only_then(client: Client) -> None:
    add(1)
    assert client.get("/debug/calls").status_code == 401
    user = User.objects.create_user("reviewer")
    client.force_login(user)
    assert client.get("/debug/calls").status_code == 403
    user.user_permissions.set(Permission.objects.filter(codename__in=("view_callrecord", "view_body")))
    assert len(client.get("/debug/calls").json()["calls"]) == 1
    user.groups.add(Group.objects.create(name="team:research"))
    assert client.get("/debug/calls").json()["calls"] == []
    assert client.get("/debug/calls/call_001").status_code == 404


def test_one_call_has_the_keys_of_the_contract() -> None:
    add(1)
    status, call = get("/debug/calls/call_001")
    keys = {"id", "outcome", "key", "team", "session", "model", "request", "response", "attempts", "usage", "timings"}
    assert status == 200 and keys | {"verdicts"} <= set(call)
    assert get("/debug/calls/call_001/diff")[1] == {
        "request": {"changed": False, "original": [], "final": []},
        "response": {"changed": False, "original": [], "final": []},
    }


def test_a_damaged_body_is_said_and_breaks_nothing() -> None:
    add(1, response_final=b"\1" * 32)
    assert get("/debug/calls/call_001")[1]["response"]["final"] == {"damaged": "a blob is missing"}
    assert CallRecord.objects.count() == 1


@pytest.mark.parametrize("url", ["/debug/calls?limit=0", "/debug/calls?limit=x", "/debug/calls?changed=maybe"])
def test_a_parameter_that_cannot_be_used_is_named(url: str) -> None:
    status, answer = get(url)
    assert status == 400 and answer["error"]["message"].startswith("These parameters cannot be used: ")


def test_an_id_that_is_none_is_not_found() -> None:
    assert get("/debug/calls/call_%00x")[0] == 404
