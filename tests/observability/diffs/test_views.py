"""The diff pages: who may see them, and what they compare."""

import json

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client

from observability.diffs import sections
from observability.hiding import HIDDEN
from observability.recording.recorder import CallFacts, CallRecorder
from observability.recording.writer import Writer
from policies.content import ToolCall
from tests.console import seed
from tests.people import READS_CALLS, browser_of, page

PAGE = f"/calls/{seed.BLOCKED}/diff/"
TWO = f"/debug/diff?call={seed.BLOCKED}&other={seed.PLAIN}"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def calls(transactional_db: None) -> None:
    seed.fill(seed.ordinary, plain_stream)


@pytest.fixture
def reader(transactional_db: None) -> Client:
    return browser_of("reader", *READS_CALLS)


async def plain_stream(writer: Writer) -> None:
    """A streamed answer, made by a policy: no provider was asked."""
    call = recorder(writer, "call_stream", {"messages": [{"role": "user", "content": "Hello"}]}, streamed=True)
    call.open()
    await call.opened()
    for frame in (
        {"type": "message_start", "message": seed.answer() | {"content": []}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "No."}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}},
        {"type": "message_stop"},
    ):
        call.final(f"event: {frame['type']}\ndata: {json.dumps(frame)}\n\n".encode())
    await call.close("blocked", 200)


async def running(writer: Writer) -> None:
    """A call that goes on, and has released a tool call."""
    call = recorder(writer, "call_running", seed.request("Clean up"))
    call.open()
    await call.opened()
    await call.checkpoint([ToolCall("toolu_9", "Bash", '{"command": "ls /srv"}')])


def recorder(writer: Writer, id: str, asked: dict[str, object], *, streamed: bool = False) -> CallRecorder:
    names = {"key": "ci", "team": "payments", "session": "", "model": "m", "path": "/v1/messages"}
    body = json.dumps(asked).encode()
    facts = CallFacts(
        id=id, **names, dialect="anthropic", streamed=streamed, request_headers=[], request_body=body, snapshot=1
    )
    return CallRecorder(facts, writer)


@pytest.mark.parametrize("path", [PAGE, TWO, "/debug/diff", f"/debug/diff?call={seed.BLOCKED}"])
def test_who_may_not_see_calls_sees_no_diff(client: Client, calls: None, path: str) -> None:
    assert client.get(path).status_code == 302
    client.force_login(User.objects.create_user("outsider"))
    page(client, path, 403)


def test_calls_of_other_teams_are_not_there(reader: Client, calls: None) -> None:
    User.objects.get(username="reader").groups.add(Group.objects.create(name="team:payments"))
    page(reader, PAGE)
    assert "There is no such call" in page(reader, TWO, 404)


def test_words_are_hidden_from_who_may_only_see_what_became_of_calls(reader: Client, calls: None) -> None:
    User.objects.get(username="reader").user_permissions.remove(Permission.objects.get(codename="view_body"))
    for path in (PAGE, f"{PAGE}?as=json", TWO):
        html = page(reader, path)
        assert HIDDEN in html and "ledger" not in html


def test_what_differs_is_marked_and_the_rest_folded(reader: Client, calls: None) -> None:
    html = page(reader, PAGE)
    assert '<span class="inside"><del>ledger</del></span>' in html
    assert '<span class="inside"><ins>[name]</ins></span>' in html
    assert "1 unchanged block<" in html
    assert page(reader, f"/debug/diff?call={seed.BLOCKED}").count("<del>") == html.count("<del>")


def test_a_fold_is_opened_by_itself(reader: Client, calls: None) -> None:
    opened = page(reader, f"{PAGE}?part=answer&blocks=0-1")
    assert "I will." in opened and "<html" not in opened
    assert "<tbody" in page(reader, f"{PAGE}?part=request&block=0&rows=0-3")
    for query in ("part=answer", "part=answer&blocks=x", "part=answer&block=1&rows=9"):
        assert reader.get(f"{PAGE}?{query}").status_code == 404
    assert "<html" in page(reader, f"{PAGE}?part=nothing&view=inline")


def test_json_has_what_blocks_do_not(reader: Client, calls: None) -> None:
    assert "[name]" in page(reader, f"{PAGE}?as=json")
    for name, words in (
        ("answer", "&quot;stop_reason&quot;: &quot;tool_use&quot;"),
        ("request", "&quot;max_tokens&quot;: 100"),
    ):
        assert words in page(reader, f"{PAGE}?as=json&part={name}&block=0&rows=0-99")
        assert words not in page(reader, PAGE)


def test_two_calls_stand_beside_each_other(reader: Client, calls: None) -> None:
    html = page(reader, TWO)
    assert "<ins>Done</ins></span>." in html and "no-shell-deletes blocked a tool call" in html
    assert f"?call={seed.BLOCKED}&amp;other={seed.PLAIN}&amp;view=inline" in html
    assert "Another call" in page(reader, "/debug/diff")
    assert "There is no such call" in page(reader, "/debug/diff?call=nowhere", 404)


def test_an_answer_of_a_policy_has_no_original_and_a_stream_is_shown_as_what_it_says(
    reader: Client, calls: None
) -> None:
    html = page(reader, "/calls/call_stream/diff/?as=json")
    assert sections.NO_ORIGINAL in html and sections.NOT_SENT in html
    assert "&quot;text&quot;: &quot;No.&quot;" in html and "event: message_start" not in html


def test_a_running_call_shows_what_is_on_record_and_says_what_is_not(reader: Client) -> None:
    seed.fill(running)
    for query in ("", "?as=json"):
        html = page(reader, f"/calls/call_running/diff/{query}")
        assert sections.NOT_YET in html and "ls /srv" in html and "js/diff-live.js" in html
    live = page(reader, "/calls/call_running/diff/?live=1")
    assert "data-running" in live and "<html" not in live
