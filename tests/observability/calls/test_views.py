import json
from functools import partial
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client, override_settings

from observability.models import CallRecord
from observability.search.listing import page_of
from tests.console import seed
from tests.people import READS_CALLS, browser_of, page

PAGES = ("/calls/", f"/calls/{seed.BLOCKED}/", f"/calls/{seed.BLOCKED}/diff/")
BODY = f"/calls/{seed.BLOCKED}/body/response_original/"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def calls(transactional_db: None) -> None:
    seed.fill(seed.ordinary)


@pytest.fixture
def reader(transactional_db: None) -> Client:
    """A browser of somebody who is not staff but may view call records."""
    return browser_of("reader", *READS_CALLS)


@pytest.mark.parametrize("path", [*PAGES, BODY, f"{BODY}preview/"])
def test_nobody_reads_calls_without_a_login(client: Client, calls: None, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer["Location"]) == (302, f"/login/?next={quote(path)}")


@pytest.mark.parametrize("path", [*PAGES, BODY, f"{BODY}preview/", "/calls/nowhere/"])
def test_a_login_alone_is_not_enough_to_read_calls(client: Client, calls: None, path: str) -> None:
    client.force_login(User.objects.create_user("outsider"))
    assert client.get(path).status_code == 403


@pytest.mark.parametrize("path", PAGES)
def test_staff_without_the_right_read_no_calls(client: Client, calls: None, path: str) -> None:
    client.force_login(User.objects.create_user("staff", is_staff=True))
    assert client.get(path).status_code == 403


@pytest.mark.parametrize(("group", "status"), [("team:research", 404), ("team:payments", 200), ("auditors", 200)])
def test_a_group_of_a_team_limits_its_members_to_that_team(
    reader: Client, calls: None, group: str, status: int
) -> None:
    User.objects.get(username="reader").groups.add(Group.objects.create(name=group))
    assert (seed.BLOCKED in page(reader, "/calls/")) == (status == 200)
    assert {reader.get(path).status_code for path in (*PAGES[1:], BODY, f"{BODY}preview/")} == {status}


def test_the_empty_list_says_how_to_make_a_call(reader: Client) -> None:
    assert "No calls yet" in page(reader, "/calls/")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {seed.BLOCKED, seed.PLAIN}),
        ("?team=payments", {seed.BLOCKED}),
        ("?key=ci", {seed.BLOCKED, seed.PLAIN}),
        ("?model=demo/echo", {seed.PLAIN}),
        ("?outcome=blocked", {seed.BLOCKED}),
        ("?changed=1", {seed.BLOCKED}),
        ("?team=research&outcome=blocked", set()),
        ("?team=%00%ED%A0%80", set()),
    ],
)
def test_the_list_shows_what_its_filters_match(reader: Client, calls: None, query: str, found: set[str]) -> None:
    html = page(reader, f"/calls/{query}")
    assert {id for id in (seed.BLOCKED, seed.PLAIN) if f"/calls/{id}/" in html} == found
    assert ("No call matches" in html) == (not found)


def test_older_leads_through_all_pages_with_the_filters_kept(
    reader: Client, calls: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("observability.search.views.page_of", partial(page_of, limit=1))
    first = reader.get("/calls/?key=ci")
    assert "q=key%3Aci&" in first.context["older_url"]
    second = reader.get(f"/calls/{first.context['older_url']}")
    assert [call.pk for call in first.context["calls"]] == [seed.PLAIN]
    assert [call.pk for call in second.context["calls"]] == [seed.BLOCKED]
    assert (second.context["older_url"], second.context["newest_url"]) == ("", "?q=key%3Aci")


def test_a_call_shows_original_and_final_and_who_decided(reader: Client, calls: None) -> None:
    html = page(reader, f"/calls/{seed.BLOCKED}/")
    for words in (seed.SECRET_FOLDER, "no-shell-deletes blocked a tool call", "recursive delete", "$0.0015"):
        assert words in html


def test_a_call_that_nobody_touched_is_shown_once(reader: Client, calls: None) -> None:
    html = page(reader, f"/calls/{seed.PLAIN}/")
    assert html.count("Done.") == 1
    assert "diff/#" not in html


def test_each_block_says_what_policies_made_of_it_and_why(reader: Client, calls: None) -> None:
    html = page(reader, f"/calls/{seed.BLOCKED}/")
    assert 'href="#response-1"' in html and 'id="response-1"' in html
    assert html.index("What policies did") < html.index("recursive delete") < html.index("Conversation</h2>")
    beside = html[html.index('id="response-1"') :]
    assert "recursive delete" in beside[: beside.index("</li>", beside.index("marks"))]


def test_a_long_request_is_fetched_piece_by_piece(reader: Client, calls: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("observability.calls.conversation.LAZY", 10)
    monkeypatch.setattr("observability.calls.views.CARDS", 1)
    html = page(reader, f"/calls/{seed.PLAIN}/")
    assert f"/calls/{seed.PLAIN}/cards/0-0/" in html and f"/calls/{seed.PLAIN}/cards/5-5/" in html
    fetched = page(reader, f"/calls/{seed.PLAIN}/cards/1-3/")
    assert 'id="request-1"' in fetched and 'id="request-2"' not in fetched
    assert f"/calls/{seed.PLAIN}/cards/2-3/" in fetched
    assert "cards/" not in page(reader, f"/calls/{seed.PLAIN}/cards/3-3/")
    assert page(reader, f"/calls/{seed.PLAIN}/cards/9-99/").strip() == ""


def test_a_long_block_is_cut_and_the_whole_is_to_be_had(
    reader: Client, calls: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("observability.calls.readable.EXCERPT", 4)
    html = page(reader, f"/calls/{seed.BLOCKED}/")
    assert "rm -</code>" in html and seed.SECRET_FOLDER not in html
    assert seed.SECRET_FOLDER in page(reader, f"/calls/{seed.BLOCKED}/block/response/original/1/")
    assert "no-shell-deletes blocked" in page(reader, f"/calls/{seed.BLOCKED}/block/response/final/1/")


@pytest.mark.parametrize("path", ["block/response/original/9/", "block/request/other/0/", "image/other/0/"])
def test_a_block_that_is_not_on_record_is_not_found(reader: Client, calls: None, path: str) -> None:
    assert reader.get(f"/calls/{seed.BLOCKED}/{path}").status_code == 404


def test_an_image_is_shown_from_the_record_once_somebody_asks(reader: Client) -> None:
    source = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}
    asked = {**seed.request("Look"), "messages": [{"role": "user", "content": [{"type": "image", "source": source}]}]}
    seed.fill(lambda writer: seed.put_on_record(writer, "call_pictured", asked, seed.answer(seed.text("A cat."))))
    html = page(reader, "/calls/call_pictured/")
    assert "/calls/call_pictured/image/original/1/" in html and "<img" not in html
    assert 'src="data:image/png;base64,iVBORw0KGgo="' in page(reader, "/calls/call_pictured/image/original/1/")


def test_images_that_a_tool_returned_are_shown_in_their_result(reader: Client) -> None:
    sources = [{"type": "base64", "media_type": "image/png", "data": data} for data in ("iVBORw0KGgo=", "iVBORw0KGg==")]
    images = [{"type": "image", "source": source} for source in sources]
    text = {"type": "text", "text": "Two of them" * 1000}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": [text, *images]}
    asked = {**seed.request("Look"), "messages": [{"role": "user", "content": [result]}]}
    seed.fill(lambda writer: seed.put_on_record(writer, "call_shown", asked, seed.answer(seed.text("A cat."))))
    address = "/calls/call_shown/image/original/1/"
    for html in (page(reader, "/calls/call_shown/"), page(reader, "/calls/call_shown/block/request/original/1/")):
        assert f'"{address}0/"' in html and f'"{address}1/"' in html and "<img" not in html
    assert 'src="data:image/png;base64,iVBORw0KGgo="' in page(reader, f"{address}0/")
    assert 'src="data:image/png;base64,iVBORw0KGg=="' in page(reader, f"{address}1/")
    assert "<img" not in page(reader, f"{address}2/")


def test_a_call_links_to_its_trace_where_there_is_a_place_for_traces(reader: Client, calls: None) -> None:
    path, trace = f"/calls/{seed.BLOCKED}/", "0af7651916cd43dd8448eb211c80319c"
    assert "Trace" not in page(reader, path)
    CallRecord.objects.filter(pk=seed.BLOCKED).update(trace_id=trace)
    assert f'<code class="wrap">{trace}</code>' in page(reader, path)
    with override_settings(LUTHIEN_TRACE_URL="https://traces.example.com/trace/{trace_id}?view=all"):
        assert f'href="https://traces.example.com/trace/{trace}?view=all"' in page(reader, path)


def test_only_images_are_shown_as_images(reader: Client, calls: None) -> None:
    for place in (1, 99):
        html = page(reader, f"/calls/{seed.BLOCKED}/image/original/{place}/")
        assert "It is not shown" in html and "<img" not in html


def test_the_page_of_a_call_asks_the_database_few_things(
    reader: Client, calls: None, django_assert_max_num_queries: Any
) -> None:
    page(reader, f"/calls/{seed.BLOCKED}/")
    with django_assert_max_num_queries(12):
        page(reader, f"/calls/{seed.BLOCKED}/")


def test_a_body_is_a_download_of_plain_text_exact_to_the_byte(reader: Client, calls: None) -> None:
    answer = reader.get(BODY)
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="response_original.txt"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert json.loads(answer.content)["content"][1]["input"] == {"c": seed.SECRET_FOLDER}


def test_a_preview_stops_where_a_page_would_become_slow(
    reader: Client, calls: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("observability.calls.views.PREVIEW", 10)
    html = page(reader, f"{BODY}preview/")
    assert "The first 10" in html
    assert seed.SECRET_FOLDER not in html


def test_a_damaged_body_is_told_and_breaks_no_page(reader: Client, calls: None) -> None:
    CallRecord.objects.update(opening_bodies=b"not zstd", closing_bodies=b"not zstd")
    assert "damaged" in page(reader, f"{BODY}preview/")
    assert reader.get(BODY).status_code == 404
    assert "No request that can be read" in page(reader, f"/calls/{seed.BLOCKED}/")
    assert all(page(reader, f"/calls/{seed.BLOCKED}/diff/{view}") for view in ("", "?as=json"))


@pytest.mark.parametrize(
    "path", ["/calls/nowhere/", "/calls/%00/", f"/calls/{seed.BLOCKED}/body/nonces/", "/calls/nowhere/diff/"]
)
def test_what_is_not_on_record_is_not_found(reader: Client, calls: None, path: str) -> None:
    assert reader.get(path).status_code == 404
