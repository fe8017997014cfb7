"""The pages of calls, in a real browser against a real server."""

import pytest
from playwright.sync_api import Page, expect

from tests.console import seed
from tests.console.browser import browse, follow, log_in
from tests.console.conftest import OUTSIDER, READER
from tests.plugins.live import LiveLuthien

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def calls(site: LiveLuthien) -> LiveLuthien:
    """The site with two ordinary calls on record."""
    site.manage("shell", "-v", "0", "-c", "from tests.console import seed; seed.fill(seed.ordinary)")
    return site


def test_a_reviewer_goes_from_the_home_page_to_what_a_policy_changed(calls: LiveLuthien) -> None:
    def visit(page: Page) -> None:
        log_in(page, calls.url, *READER)
        page.click("text=blocked >> nth=0")
        follow(page, f"a[href='/calls/{seed.BLOCKED}/']")
        assert page.text_content("#response-1 .original .arguments dd") == seed.SECRET_FOLDER
        page.keyboard.press("d")
        assert page.text_content("#request del") == "ledger"

    browse(visit)


def test_a_call_is_read_by_keyboard(calls: LiveLuthien) -> None:
    def visit(page: Page) -> None:
        log_in(page, calls.url, *READER)
        page.goto(f"{calls.url}/calls/{seed.BLOCKED}/")
        focused = "() => document.activeElement.id"
        for key, card in (("j", "request-0"), ("j", "request-5"), ("k", "request-0")):
            page.keyboard.press(key)
            assert page.evaluate(focused) == card
        notice = page.locator("#response-1 .final")
        assert notice.is_visible()
        page.keyboard.press("o")
        assert not notice.is_visible() and page.url.endswith("#original")
        page.reload()
        assert not notice.is_visible()
        page.keyboard.press("o")
        assert notice.is_visible() and "#" not in page.url
        page.keyboard.press("e")
        assert page.locator("#conversation details:not([open])").count() == 0
        page.keyboard.press("e")
        assert page.locator("#conversation details[open]").count() == 0
        page.keyboard.press("?")
        assert "Next block" in (page.text_content("dialog") or "")
        page.keyboard.press("Escape")
        expect(page.locator("dialog")).to_have_count(0)
        page.click(".deeds a")
        assert page.evaluate("() => document.querySelector(':target').id") == "response-1"

    browse(visit)


def test_a_raw_body_is_fetched_when_it_is_opened(calls: LiveLuthien) -> None:
    def visit(page: Page) -> None:
        log_in(page, calls.url, *READER)
        page.goto(f"{calls.url}/calls/{seed.BLOCKED}/")
        assert page.locator(".raw pre").count() == 0
        page.click(".raw summary >> nth=2")
        assert seed.SECRET_FOLDER in (page.text_content(".raw pre") or "")
        with page.expect_download() as download:
            page.click(".raw a >> nth=2")
        assert seed.SECRET_FOLDER in download.value.path().read_text()

    browse(visit)


def test_who_may_not_see_calls_is_told_so_and_offered_no_way_there(calls: LiveLuthien) -> None:
    def visit(page: Page) -> None:
        log_in(page, calls.url, *OUTSIDER)
        assert page.locator("a[href^='/calls/']:visible").count() == 0
        page.goto(calls.url + "/calls/")
        assert page.text_content("h1") == "Not allowed"

    browse(visit, expected=["403"])
