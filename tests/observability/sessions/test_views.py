from __future__ import annotations

import json
from functools import partial
from typing import Any
from urllib.parse import quote

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import Group, Permission, User
from django.test import Client

from observability import viewing
from observability.models import AuditEvent, CallRecord, SessionCall
from policies.verdicts import Decision
from tests.console import seed
from tests.observability.conftest import MakeWriter
from tests.people import READS_CALLS, browser_of, page

pytestmark = pytest.mark.django_db(transaction=True)
SESSION = "ses_1"
PAGE = f"/sessions/{SESSION}/"
BODIES = f"{PAGE}bodies/?call=0.call_1&call=2.call_2"
PATHS = ("/sessions/", PAGE, f"{PAGE}changes/", BODIES, f"{PAGE}export.jsonl")
BASH = {"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": {"command": seed.SECRET_FOLDER}}


def asked(*messages: tuple[str, Any]) -> dict[str, Any]:
    talk = [{"role": role, "content": content} for role, content in messages]
    return {"model": "claude-test", "max_tokens": 9, "system": "Be kind.", "messages": talk}


@pytest.fixture
def story(make_writer: MakeWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that a policy blocked, one that goes on from it, and one of another team."""
    monkeypatch.setattr(viewing, "_views", viewing.Views())
    writer = make_writer()
    put = partial(async_to_sync(seed.put_on_record), writer, session=SESSION)
    verdict = Decision("no-deletes", 3, "enforce", "on_tool_call", "tool_call toolu_1", "block", "recursive", 9.0, 2.0)
    notice = seed.text("no-deletes blocked Bash")
    said = seed.answer(seed.text("I tidy up."), BASH)
    given = seed.answer(seed.text("I tidy up."), notice)
    put("call_1", asked(("user", "Tidy up.")), said, given, decisions=(verdict,), outcome="blocked")
    again = asked(("user", "Tidy up."), ("assistant", given["content"]), ("user", "Leave it."))
    put("call_2", again, seed.answer(seed.text("I leave it.")))
    put("call_3", asked(("user", "Elsewhere.")), seed.answer(seed.text("Yes.")), team="research")
    writer.stop(60)


@pytest.fixture
def reader(story: None) -> Client:
    return browser_of("reader", *READS_CALLS)


def exported(client: Client) -> list[dict[str, Any]]:
    async def content(answer: Any) -> bytes:
        return b"".join([chunk async for chunk in answer])

    return [json.loads(line) for line in async_to_sync(content)(client.get(f"{PAGE}export.jsonl")).splitlines()]


@pytest.mark.parametrize("path", PATHS)
def test_nobody_reads_sessions_without_a_login_and_the_right(client: Client, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer["Location"]) == (302, f"/login/?next={quote(path)}")
    client.force_login(User.objects.create_user("outsider", is_staff=True))
    assert client.get(path).status_code == 403
    assert not AuditEvent.objects.filter(action="session.viewed").exists()


def test_members_of_a_team_see_its_calls_of_a_session_and_no_others(reader: Client) -> None:
    User.objects.get().groups.add(Group.objects.create(name="team:research"))
    assert "call_3" in page(reader, PAGE) and "call_1" not in page(reader, PAGE)
    assert reader.get(BODIES).status_code == 404
    assert "Elsewhere" in page(reader, f"{PAGE}bodies/?call=0.call_3&call=0.call_1")
    assert [each["id"] for each in exported(reader)] == ["call_3"]
    User.objects.get().groups.set([Group.objects.create(name="team:nobody")])
    assert {reader.get(path).status_code for path in PATHS[1:]} == {404}
    assert "No sessions yet" in page(reader, "/sessions/")


def test_the_list_leads_to_the_story_and_says_what_was_stopped(reader: Client) -> None:
    html = page(reader, "/sessions/?team=payments")
    assert f'href="{PAGE}"' in html and "1 blocked" in html
    assert "No session matches" in page(reader, "/sessions/?q=model:x")
    assert reader.get("/sessions/?q=te:x").status_code == 400


def test_the_page_has_the_outline_without_a_word_of_the_bodies(reader: Client) -> None:
    html = page(reader, PAGE)
    assert html.index('id="call-call_1"') < html.index('id="call-call_2"')
    assert 'data-call="2.call_2"' not in html and 'data-call="3.call_2"' in html
    assert "no-deletes@3" in html and 'href="#call-call_1" id="first-bad"' in html
    assert "Tidy" not in html and seed.SECRET_FOLDER not in html


def test_a_body_has_what_is_new_and_the_answer_as_the_client_got_it(reader: Client) -> None:
    html = page(reader, f"{PAGE}bodies/?call=0.call_1&call=3.call_2&call=x&call=0.call_nowhere")
    first, second = html.split('id="body-call_2"')
    assert all(words in first for words in ("Be kind.", "Tidy up.", "no-deletes blocked Bash", "/calls/call_1/diff/"))
    assert seed.SECRET_FOLDER not in first
    assert "Leave it." in second and "I leave it." in second and "Tidy up." not in second and "kind" not in second


def test_changes_are_what_may_have_happened_since(reader: Client) -> None:
    assert 'id="call-call_1"' in page(reader, f"{PAGE}changes/?since=x")
    assert 'id="call-call_1"' not in page(reader, f"{PAGE}changes/?since={2**60}")
    CallRecord.objects.filter(pk="call_1").update(outcome="open", closed_at=None)
    assert 'id="call-call_1"' in page(reader, f"{PAGE}changes/?since=3999999999999999")


def test_the_export_has_an_object_a_call_with_what_was_new(reader: Client) -> None:
    one, two, three = exported(reader)
    assert [each["id"] for each in (one, two, three)] == ["call_1", "call_2", "call_3"]
    assert (two["after"], two["thread"]["id"], three["thread"]["kind"]) == ("call_1", "call_1", "parallel")
    assert [block["text"] for block in two["new"]["request"]["original"]] == ["Leave it."]
    assert one["verdicts"][0]["action"] == "block"
    assert [block["kind"] for block in one["new"]["response"]["original"]] == ["text", "tool_call"]
    assert [block["kind"] for block in one["new"]["response"]["final"]] == ["text", "text"]


def test_opening_and_exporting_a_session_are_events_of_the_audit(reader: Client) -> None:
    for path in (PAGE, BODIES, f"{PAGE}changes/", f"{PAGE}export.jsonl"):
        reader.get(path)
    seen = AuditEvent.objects.filter(action="session.viewed").order_by("at")
    assert [(each.actor, each.subject, each.detail) for each in seen] == [
        ("reader", SESSION, {"shown": "page"}),
        ("reader", SESSION, {"shown": "export"}),
    ]


def test_who_may_not_read_bodies_sees_what_happened_and_no_words(reader: Client) -> None:
    User.objects.get().user_permissions.set(Permission.objects.filter(codename="view_callrecord"))
    assert "no-deletes@3" in page(reader, PAGE)
    assert "hidden from your role" in page(reader, BODIES)
    for said in (page(reader, PAGE), page(reader, BODIES), json.dumps(exported(reader))):
        assert not any(words in said for words in ("Tidy", "Leave it", "Be kind", seed.SECRET_FOLDER, "recursive"))


def test_a_call_that_is_not_read_yet_is_left_out_and_the_page_looks_again(
    reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    page(reader, PAGE)
    monkeypatch.setattr("observability.sessions.views.refresh", lambda most: None)
    SessionCall.objects.filter(call_id="call_2").delete()
    html = page(reader, PAGE)
    assert "data-behind" in html and "call-call_2" not in html
    assert "data-behind" in page(reader, f"{PAGE}changes/")


def test_what_was_erased_is_said_to_be(reader: Client) -> None:
    CallRecord.objects.update(nonces=b"")
    assert "erased on request" in page(reader, BODIES)


@pytest.mark.parametrize("path", ["/sessions/nowhere/", "/sessions/%00/", f"{PAGE}bodies/", "/sessions/x/export.jsonl"])
def test_what_is_not_on_record_is_not_found(reader: Client, path: str) -> None:
    assert reader.get(path).status_code == 404
