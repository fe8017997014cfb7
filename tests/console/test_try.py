"""The home page's first call, from the browser through the gateway to the demo model."""

import pytest
from playwright.sync_api import Page

from tests.console.browser import browse, log_in
from tests.console.conftest import ADMIN
from tests.plugins.live import LiveLuthien

pytestmark = pytest.mark.browser


def test_the_first_call_is_made_from_the_home_page_and_can_be_looked_at(site: LiveLuthien) -> None:
    key = site.manage("create_key", "first").strip()

    def visit(page: Page) -> None:
        log_in(page, site.url, *ADMIN)
        page.fill("#try-key", key)
        page.fill("#try-prompt", "Speak, friend")
        page.click("#try button")
        page.locator("#try-answer").wait_for()
        assert page.text_content("#try-answer .text") == "Speak, friend"
        page.click("#try-answer a")
        assert (page.text_content("#conversation") or "").count("Speak, friend") == 2

    browse(visit)


def test_a_wrong_key_is_told_in_the_gateways_own_words(site: LiveLuthien) -> None:
    def visit(page: Page) -> str:
        log_in(page, site.url, *ADMIN)
        page.locator("details.connect").evaluate_all("all => all.forEach((each) => { each.open = true; })")
        page.fill("#try-key", "wrong")
        page.click("#try button")
        page.locator("#try-answer.tone-blocked").wait_for()
        return page.text_content("#try-answer .text") or ""

    assert "key" in browse(visit, expected=["401"])
