"""Through every page in one browser: hostile texts everywhere do nothing, and everybody can use what is shown."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.console import seed
from tests.console.browser import LOOKS, browse, faults, log_in
from tests.console.conftest import ADMIN
from tests.console.harm import harm
from tests.luthien_site.matrix import CALL, PAGES, SESSION
from tests.plugins.live import LiveLuthien

pytestmark = pytest.mark.browser

FILL = """
from tests.console import seed
from tests.luthien_site.objects import make
make()
seed.fill(seed.ordinary, seed.hostile, seed.besieged)
"""
LISTS = ("/", "/sessions/", "/review/", "/activity/monitor", "/jobs/", "/admin/observability/auditevent/")
ADMIN_PAGES = ("/admin/", "/admin/auth/user/", "/admin/auth/user/add/", "/admin/gateway/apikey/", "/nothing-here")
MAIN = ("/", "/activity/monitor", "/calls/", f"/{CALL}", f"/{CALL}diff/", "/sessions/", f"/{SESSION}")
REFUSED = ("404", "410", "422")


@pytest.fixture(scope="module")
def attacked(site: LiveLuthien) -> LiveLuthien:
    """The site with one of each thing, and every hostile text in every field of calls."""
    site.manage("shell", "-v", "0", "-c", FILL)
    return site


def test_two_hundred_hostile_texts_are_shown_as_texts_and_do_nothing(attacked: LiveLuthien) -> None:
    def visit(page: Page) -> list[str]:
        log_in(page, attacked.url, *ADMIN)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        found = []
        for path in (*LISTS, "/sessions/besieged/", *_pages_of_the_list(page, attacked.url)):
            page.goto(attacked.url + path)
            found += [f"{path}: {fault}" for fault in harm(page, (), path)]
        for number, group in enumerate(seed.groups()):
            path = f"/calls/besieged_{number}/"
            page.goto(attacked.url + path)
            found += [f"{path}: {fault}" for fault in harm(page, group, path)]
            page.goto(f"{attacked.url}{path}diff/")
            found += [f"{path}diff/: {fault}" for fault in harm(page, (), f"{path}diff/")]
        return found + [f"{url} was asked for" for url in asked if not url.startswith((attacked.url, "data:"))]

    assert browse(visit) == []


def _pages_of_the_list(page: Page, url: str) -> Iterator[str]:
    """All pages of the list of calls, as their own links lead through it."""
    path = "/calls/?key=&q="
    while path:
        yield path
        older = page.locator("a[rel=next]")
        path = f"/calls/{older.get_attribute('href')}" if older.count() else ""


def test_every_page_can_be_used_by_everybody_and_fits_its_window(attacked: LiveLuthien) -> None:
    """As axe says: each page in light and dark, one of them wide and the other narrow; the main ones in all four."""
    addresses = _addresses()
    assert set(MAIN) <= set(addresses)

    def visit(page: Page) -> list[str]:
        page.goto(f"{attacked.url}/login/")
        found = faults(page, "/login/")
        log_in(page, attacked.url, *ADMIN)
        for number, path in enumerate((*addresses, *ADMIN_PAGES)):
            answer = page.request.get(attacked.url + path)
            if answer.text().startswith("<!DOCTYPE html>"):
                page.goto(attacked.url + path)
                found += faults(page, path, LOOKS if path in MAIN else LOOKS[number % 2 * 2 :][:2])
        return found

    # axe writes styles of its own into the page.
    assert browse(visit, bypass_csp=True, expected=REFUSED) == []


def _addresses() -> list[str]:
    rows = [row for row in PAGES if row.method == "GET" and row.path != "activity/stream"]
    endless = {"activity/stream", "logout/", "login/"}
    return [f"/{row.path or row.route}" for row in rows if row.route not in endless]
