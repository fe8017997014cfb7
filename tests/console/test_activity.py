"""The page of live activity in a real browser before a real server, and who gets its websocket."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Page

from luthien_site.asgi import application
from observability.activity.consumers import NOT_ALLOWED
from tests.console import seed
from tests.console.browser import browse, log_in, overflows, violations
from tests.console.conftest import ADMIN, OUTSIDER, READER, opened
from tests.console.hostile import PAYLOADS
from tests.people import browser_of
from tests.plugins.live import LiveLuthien
from tests.plugins.services import valkey_address

INTERRUPTED = ("WebSocket connection", "Failed to load resource")
HOST = (b"host", b"127.0.0.1")


@pytest.fixture(scope="module")
def key(site: LiveLuthien) -> str:
    return site.manage("create_key", "watched").strip()


def call(site: LiveLuthien, key: str, script: str, session: str = "") -> str:
    """Makes a call, and returns its id."""
    body = {"model": "demo/script", "max_tokens": 99, "messages": [{"role": "user", "content": script}]}
    headers = {"x-api-key": key, "session-id": session or uuid4().hex}
    answer = httpx.post(f"{site.url}/v1/messages", json=body, headers=headers, timeout=30)
    return answer.headers["x-luthien-call-id"]


def watch(page: Page, site: LiveLuthien, who: tuple[str, str] = ADMIN, query: str = "") -> None:
    log_in(page, site.url, *who)
    page.goto(f"{site.url}/activity/monitor{query}")
    page.get_by_role("status").get_by_text("Live", exact=True).wait_for()


def shown(page: Page, call: str, kind: str = "finished") -> None:
    """Waits for the row of an event."""
    page.wait_for_selector(f'#activity-log li[data-call="{call}"][data-kind="{kind}"]')


def rows(page: Page, call: str) -> int:
    return page.locator(f'#activity-log li[data-call="{call}"]').count()


def test_calls_appear_while_they_happen_and_lead_to_their_pages(site: LiveLuthien, key: str) -> None:
    def task(page: Page) -> None:
        watch(page, site)
        made = call(site, key, "say hello")
        shown(page, made)
        assert page.locator('[data-count="calls"]').inner_text() == "1"
        assert rows(page, made) >= 6
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/calls/{made}/")

    browse(task)


def test_a_filter_holds_while_it_runs_and_stands_in_the_address(site: LiveLuthien, key: str) -> None:
    def task(page: Page) -> None:
        watch(page, site, query="?kind=finished")
        assert page.locator("#f-kind").input_value() == "finished"
        first = call(site, key, "say hello")
        shown(page, first)
        assert rows(page, first) == 1
        page.keyboard.press("/")
        page.keyboard.type("no such words")
        page.wait_for_url("**text=no+such+words*")
        page.wait_for_function("() => !document.querySelector('#activity-log li')")
        page.get_by_role("button", name="Clear").click()
        shown(page, first, "request_received")

    browse(task)


def test_in_a_narrow_window_what_happens_comes_first_and_the_filter_is_one_key_away(
    site: LiveLuthien, key: str
) -> None:
    def task(page: Page) -> None:
        watch(page, site, query="?key=watched")
        made = call(site, key, "say hello")
        shown(page, made)
        row = page.locator("#activity-log li").first.bounding_box()
        assert row and row["y"] < 400
        assert page.locator("#activity-filter-used").inner_text() == "1 in use"
        assert not page.locator("#f-key").is_visible()
        page.keyboard.press("/")
        assert page.evaluate("() => document.activeElement.id") == "f-text"
        assert page.locator("#f-key").input_value() == "watched"

    browse(task, viewport={"width": 390, "height": 844})


def test_a_pause_holds_events_back_and_loses_none(site: LiveLuthien, key: str) -> None:
    def task(page: Page) -> None:
        watch(page, site)
        page.keyboard.press("p")
        made = call(site, key, "say hello")
        page.wait_for_function("() => /\\d+ new/.test(document.getElementById('activity-pause').textContent)")
        assert rows(page, made) == 0
        page.keyboard.press("p")
        shown(page, made)

    browse(task)


@pytest.mark.parametrize("kind", ["postgres", "sqlite"], ids=["with Redis and PostgreSQL", "embedded"])
def test_nothing_is_lost_when_the_server_is_killed_and_starts_again(tmp_path: Path, kind: str) -> None:
    def task(page: Page) -> None:
        watch(page, site)
        before = call(site, key, "say hello")
        shown(page, before)
        site.kill()
        page.get_by_role("status").get_by_text("Live", exact=True).wait_for(state="hidden")
        site.start()
        meanwhile = [call(site, key, f"say {word}") for word in ("one", "two")]
        for made in meanwhile:
            shown(page, made)
            shown(page, made, "request_received")
        page.get_by_role("status").get_by_text("Live", exact=True).wait_for()
        ids = page.eval_on_selector_all("#activity-log li", "all => all.map(li => li.dataset.call + li.dataset.kind)")
        assert ids.count(f"{before}finished") == 1
        # A server ends with the thread that started it, which is the browser's.
        site.kill()

    with opened(tmp_path, kind, valkey_address() if kind == "postgres" else "") as site:
        key = site.manage("create_key", "watched").strip()
        browse(task, expected=INTERRUPTED)


def test_a_session_is_stopped_from_the_page_and_let_go_on(site: LiveLuthien, key: str) -> None:
    def task(page: Page) -> None:
        watch(page, site)
        made = call(site, key, "say hello", "of-the-stopped")
        shown(page, made)
        page.get_by_role("link", name=f"Stop whoever made call {made}").first.click()
        assert violations(page) == []
        page.get_by_role("button", name="Stop the session").click()
        page.get_by_role("heading", name="Stopped").wait_for()
        assert violations(page) == []
        page.get_by_role("button", name="Let it go on").click()
        page.get_by_text("may go on").wait_for()

    browse(task)


def test_who_may_only_read_stops_nothing_and_an_outsider_sees_nothing(site: LiveLuthien, key: str) -> None:
    def reader(page: Page) -> None:
        watch(page, site, READER)
        shown(page, call(site, key, "say hello"))
        assert page.locator(".to-stop").count() == 0

    def outsider(page: Page) -> None:
        log_in(page, site.url, *OUTSIDER)
        answer = page.goto(f"{site.url}/activity/monitor")
        assert answer is not None and answer.status == 403

    browse(reader)
    browse(outsider, expected=INTERRUPTED)


def test_hostile_texts_neither_run_nor_break_the_page(site: LiveLuthien) -> None:
    """In every field, as the server could send them."""
    names = ("summary", "call", "key", "team", "model", "policy", "verdict", "outcome", "kind", "session", "mode")
    events = [
        {"id": f"{place}", "at": 1_790_000_000_000_000 + place, "version": 1} | dict.fromkeys(names, text)
        for place, text in enumerate(PAYLOADS)
    ]
    verdicts = [{**event, "id": f"{event['id']}-verdict", "kind": "verdict"} for event in events]

    def task(page: Page) -> None:
        watch(page, site, query="?text=what+no+call+says")
        for seq, told in enumerate((events, verdicts), 1):
            message = {"seq": seq, "cursor": f"1-{seq}", "events": told, "missed": 411 + seq, "recent": False}
            page.evaluate(
                "detail => document.dispatchEvent(new CustomEvent('activity:message', { detail }))",
                json.loads(json.dumps(message)),
            )
            page.get_by_text(f"{411 + seq} more").wait_for()
            assert page.locator("#activity-log li").count() > len(told)
            harmful = "#activity-log :is(script, img, svg, iframe, form, style, base, link, meta)"
            assert page.locator(harmful).count() == 0
        assert all("/calls/" in href for href in page.eval_on_selector_all(".to-call", "all => all.map(a => a.href)"))
        assert overflows(page) == 0

    browse(task, viewport={"width": 390, "height": 800})


async def connected(cookies: str = "") -> WebsocketCommunicator:
    headers = [HOST, (b"origin", b"http://127.0.0.1"), (b"cookie", cookies.encode())]
    socket = WebsocketCommunicator(application, "/ws/activity/?kind=finished", headers=headers)
    assert (await socket.connect(timeout=30))[0]
    return socket


def session_of(client: Client) -> str:
    return f"sessionid={client.cookies['sessionid'].value}"


@pytest.mark.django_db(transaction=True)
async def test_the_socket_is_closed_for_those_who_may_not_see_calls() -> None:
    await sync_to_async(User.objects.create_user)("outsider", password="x")
    outsider = Client()
    await sync_to_async(outsider.force_login)(await User.objects.aget(username="outsider"))
    for cookies in ("", session_of(outsider)):
        socket = await connected(cookies)
        assert await socket.receive_output(timeout=30) == {"type": "websocket.close", "code": NOT_ALLOWED}


@pytest.mark.django_db(transaction=True)
async def test_the_socket_tells_a_member_of_a_team_what_was_there_of_its_calls() -> None:
    await sync_to_async(seed.fill)(seed.ordinary)
    member = await sync_to_async(browser_of)("member", "view_callrecord", groups=["team:research"])
    socket = await connected(session_of(member))
    message: dict[str, Any] = json.loads(await socket.receive_from(timeout=30))
    assert message["recent"] and {event["kind"] for event in message["events"]} == {"finished"}
    assert {event["team"] for event in message["events"]} == {"research"}
    await socket.send_to(text_data="rubbish")
    await socket.send_to(text_data=json.dumps({"filter": {"text": "no such words"}}))
    again = json.loads(await socket.receive_from(timeout=30))
    assert (again["recent"], again["events"], again["seq"]) == (True, [], 2)
    await socket.disconnect(timeout=30)


@pytest.mark.django_db(transaction=True)
async def test_the_socket_is_closed_soon_after_a_right_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("observability.activity.consumers.CHECK_EVERY", 0.01)
    member = await sync_to_async(browser_of)("member", "view_callrecord", groups=["team:research"])
    socket = await connected(session_of(member))
    await sync_to_async(User.objects.filter(username="member").delete)()
    while (output := await socket.receive_output(timeout=30))["type"] == "websocket.send":
        pass
    assert output == {"type": "websocket.close", "code": NOT_ALLOWED}
