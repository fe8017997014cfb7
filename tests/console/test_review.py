"""What waits for review, in a real browser against a real server."""

import pytest
from playwright.sync_api import Page, expect

from tests.console.browser import browse, log_in, overflows, violations
from tests.console.conftest import ADMIN
from tests.plugins.live import LiveLuthien

pytestmark = pytest.mark.browser

MORE_BLOCKS = "from tests.console import seed; seed.fill(seed.ordinary); seed.fill(seed.failing_open)"


def test_verdicts_are_labelled_by_keyboard_and_found_again(site: LiveLuthien) -> None:
    site.manage("shell", "-v", "0", "-c", MORE_BLOCKS)

    def visit(page: Page) -> None:
        log_in(page, site.url, *ADMIN)
        expect(page.locator("main")).to_contain_text("Needs review")
        expect(page.locator(".chart canvas")).to_be_visible()
        assert violations(page) == []
        page.goto(f"{site.url}/review/?show=failed")
        items = page.locator(".review-item")
        expect(items).to_have_count(3)
        page.keyboard.press("?")
        help_lines = page.locator("dialog dl > div")
        expect(help_lines).to_have_count(10)
        expect(help_lines.filter(has_text="False alarm")).to_contain_text("2")
        page.keyboard.press("Escape")
        page.keyboard.press("j")
        page.keyboard.press("j")
        page.keyboard.press("2")
        expect(items.nth(1)).to_contain_text("false alarm")
        expect(items.nth(2).locator("a").first).to_be_focused()
        page.keyboard.press("k")
        page.keyboard.press("u")
        expect(page.locator(".review-item.done")).to_have_count(0)
        page.keyboard.press("1")
        expect(items.nth(1)).to_have_class("panel review-item done")
        assert violations(page) == []
        page.set_viewport_size({"width": 390, "height": 844})
        assert overflows(page) == 0
        page.goto(f"{site.url}/calls/?q=label:true_alarm")
        expect(page.locator(".rows tbody tr")).to_have_count(1)

    browse(visit, bypass_csp=True)


def test_what_is_managed_is_behind_a_button_that_a_keyboard_opens_and_closes(site: LiveLuthien) -> None:
    def visit(page: Page) -> None:
        log_in(page, site.url, *ADMIN)
        button, menu = page.get_by_role("button", name="Manage"), page.locator("#manage-menu")
        button.focus()
        page.keyboard.press("Enter")
        expect(menu).to_be_visible()
        page.keyboard.press("Tab")
        expect(menu.locator("a").first).to_be_focused()
        page.keyboard.press("Escape")
        expect(menu).to_be_hidden()
        expect(button).to_be_focused()
        button.click()
        page.locator("h1").click()
        expect(button).to_have_attribute("aria-expanded", "false")

    browse(visit)
