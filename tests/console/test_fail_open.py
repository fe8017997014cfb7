"""The banner that no page hides, in a real browser against a real server."""

import pytest
from playwright.sync_api import Page, expect

from tests.console.browser import PHONE, browse, faults, log_in
from tests.console.conftest import ADMIN, OUTSIDER, READER
from tests.plugins.live import LiveLuthien

pytestmark = pytest.mark.browser

PAGES = ("/", "/calls/", "/admin/", "/admin/policies/activation/", "/nothing-here")
BANNER = "section.alarm"


@pytest.fixture(scope="module")
def failing(site: LiveLuthien) -> LiveLuthien:
    """The site with calls on record that two policies let pass unjudged."""
    site.manage("shell", "-v", "0", "-c", "from tests.console import seed; seed.fill(seed.failing_open)")
    site.manage("shell", "-v", "0", "-c", "from observability.search import indexing; list(indexing.sweep())")
    return site


def test_the_banner_names_the_policy_and_leads_to_what_it_let_pass(failing: LiveLuthien) -> None:
    def visit(page: Page) -> None:
        log_in(page, failing.url, *READER)
        line = page.locator(f"{BANNER} li", has_text="no-secrets")
        assert "2 calls in the last 24 hours, last " in (line.text_content() or "")
        line.locator("a").click()
        expect(page.locator("#q")).to_have_value("policy:no-secrets verdict:failed_open")
        expect(page.locator("main .rows tbody tr")).to_have_count(2)

    browse(visit)


def test_the_banner_stands_on_every_page_can_be_read_and_fits_a_phone(failing: LiveLuthien) -> None:
    def visit(page: Page) -> list[str]:
        log_in(page, failing.url, *ADMIN)
        found = []
        for path in PAGES:
            page.goto(failing.url + path)
            found += faults(page, path, [("light", PHONE), ("dark", PHONE)])
            found += [f"{path}: no banner"] if page.locator(f"{BANNER}:visible").count() != 1 else []
        return found

    assert browse(visit, bypass_csp=True, expected=["404"]) == []


def test_who_may_see_no_calls_is_not_told_of_them(failing: LiveLuthien) -> None:
    def visit(page: Page) -> int:
        log_in(page, failing.url, *OUTSIDER)
        return page.locator(BANNER).count()

    assert browse(visit) == 0
