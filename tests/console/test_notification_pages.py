"""The pages of webhooks: who may do what, and a whole life of an endpoint in a browser beside a real worker."""

from __future__ import annotations

import signal
import time

import pytest
from django.test import Client
from playwright.sync_api import Page

from gateway.models import Team
from gateway.notifications.models import Delivery, Endpoint
from observability.models import AuditEvent
from tests.console.browser import browse, follow, log_in, overflows, violations
from tests.console.conftest import ADMIN
from tests.gateway.notifications.conftest import told
from tests.gateway.notifications.receiver import receiving
from tests.people import member_of
from tests.plugins import forked
from tests.plugins.live import LiveLuthien

GET = ("", "new/", "{endpoint}/", "{endpoint}/delete/")
POST = ("new/", "{endpoint}/", "{endpoint}/secret/", "{endpoint}/test/", "deliveries/{delivery}/again/")
READS = ("", "{endpoint}/")
URL = "https://siem.example/hook?token=hidden"
FORM = {"name": "pager", "url": "https://pager.example/", "team": "", "events": ["blocked"], "enabled": "on"}


def address(path: str) -> str:
    delivery = Delivery.objects.get(event_id="evt_1")
    return "/notifications/" + path.format(endpoint=delivery.endpoint_id, delivery=delivery.pk)


@pytest.fixture
def endpoint(db: None) -> Endpoint:
    """One of a team's, with one delivery."""
    Team.objects.create(name="payments")
    endpoint = told(URL, team="payments")
    Delivery.objects.create(
        endpoint=endpoint, event_id="evt_1", event="blocked", body="{}", give_up_at=endpoint.created_at, attempts=1
    )
    return endpoint


@pytest.mark.parametrize(
    ("group", "reads", "writes"),
    [("admin", GET, POST), ("reviewer", READS, ()), ("policy author", (), ()), ("team", (), ()), ("nobody", (), ())],
)
def test_who_may_open_and_do_what(
    endpoint: Endpoint, group: str, reads: tuple[str, ...], writes: tuple[str, ...]
) -> None:
    client = member_of(group)
    assert {path for path in GET if client.get(address(path)).status_code == 200} == set(reads)
    events = AuditEvent.objects.count()
    done = {path for path in POST if client.post(address(path), FORM | {"name": path}).status_code in (200, 302)}
    assert done == set(writes)
    assert AuditEvent.objects.count() - events == len(writes)
    assert (client.post(address("{endpoint}/delete/")).status_code == 302) == bool(writes)


def test_strangers_are_asked_to_log_in(endpoint: Endpoint, client: Client) -> None:
    for path in GET:
        assert client.get(address(path))["Location"].startswith("/login/")


def test_a_reviewer_of_a_team_sees_its_endpoints_alone_and_no_secret_part_of_an_address(endpoint: Endpoint) -> None:
    told(URL, name="for-all")
    page = member_of("reviewer", "team:payments").get("/notifications/").content.decode()
    assert "siem.example" in page
    assert "for-all" not in page
    assert "?token=" not in page


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ftp://siem.example/", "begins with https://"),
        ("https://user:pass@siem.example/", "cannot be used"),
        ("http://169.254.169.254/latest", "is private"),
        ("http://[::1]:80/", "is private"),
        ("https://siem.example:port/", "is not an address"),
        ("https:///nowhere", "begins with https://"),
    ],
)
def test_an_address_that_cannot_be_told_is_refused_beside_its_field(db: None, url: str, said: str) -> None:
    page = member_of("admin").post("/notifications/new/", FORM | {"url": url})
    assert page.status_code == 422
    assert said in page.content.decode()
    assert not Endpoint.objects.exists()


def test_a_secret_is_shown_once(db: None) -> None:
    client = member_of("admin")
    page = client.post("/notifications/new/", FORM)
    row = Endpoint.objects.get()
    assert row.secret in page.content.decode()
    assert page["Cache-Control"] == "no-store"
    assert row.secret not in client.get(f"/notifications/{row.pk}/").content.decode()


def test_deliveries_come_in_pages_and_by_their_state(endpoint: Endpoint) -> None:
    for number in range(60):
        Delivery.objects.create(
            endpoint=endpoint, event_id=f"e{number}", event="x", body="{}", give_up_at=endpoint.created_at
        )
    client = member_of("admin")
    first = client.get("/notifications/")
    assert len(first.context["deliveries"]) == 50
    second = client.get(f"/notifications/?before={first.context['next']}")
    assert len(second.context["deliveries"]) == 11
    assert len(client.get("/notifications/?state=failed").context["deliveries"]) == 0


def test_a_life_of_an_endpoint(site: LiveLuthien) -> None:
    """Made, tested and told of by a real worker, its secret changed, deleted."""
    env = site.env | {"LUTHIEN_PRIVATE_HOSTS": "127.0.0.1"}
    site.env = env
    site.restart()
    worker = forked.worker(env=env, log=site.data_dir / "worker.log")

    def live(page: Page) -> None:
        log_in(page, site.url, *ADMIN)
        page.click("nav >> text=Manage")
        page.click("nav >> text=Notifications")
        page.click("text=Add an endpoint")
        page.fill("#id_name", "siem")
        page.fill("#id_url", receiver.url)
        assert violations(page) == []
        page.click("main button[type=submit]")
        secret = page.text_content("#secret")
        assert secret is not None and secret.startswith("whsec_")
        page.click("text=I have copied it")
        follow(page, "text=Send a test")
        deadline = time.monotonic() + 60
        while not page.locator("main .tone-allowed:not([role])").count():
            assert time.monotonic() < deadline, "the test is not delivered"
            page.reload()
        assert violations(page) == []
        page.set_viewport_size({"width": 390, "height": 800})
        assert overflows(page) <= 0
        page.click("text=Delete")
        follow(page, "text=Delete the endpoint")
        assert "Nobody is told yet" in (page.text_content("main") or "")

    with receiving() as receiver:
        try:
            browse(live)
        finally:
            worker.send_signal(signal.SIGTERM)
            worker.wait(60)
    assert [headers["x-luthien-event"] for headers, _ in receiver.heard] == ["test"]
