"""The retention pages in a browser, by keyboard's names and on a phone."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.console.browser import browse, log_in, overflows, violations
from tests.console.conftest import ADMIN
from tests.plugins.live import LiveLuthien


def test_a_period_a_hold_and_an_erasure(site: LiveLuthien, tmp_path: Path) -> None:
    pictures = Path(os.environ.get("LUTHIEN_PICTURES", tmp_path))

    def live(page: Page) -> None:
        log_in(page, site.url, *ADMIN)
        page.click("nav >> text=Manage")
        page.click("nav >> text=Retention")
        expect(page.locator("main")).to_contain_text("Nothing is held")
        page.get_by_label("Days").fill("90")
        page.get_by_role("button", name="Store the period").click()
        page.get_by_label("What", exact=True).select_option("team")
        page.locator("#hold_name").fill("payments")
        page.get_by_label("Reason").fill("a lawsuit about " + "a-very-long-word-" * 12)
        page.get_by_role("button", name="Place the hold").click()
        expect(page.locator("main")).to_contain_text("The hold on team payments is in force.")
        assert violations(page) == []
        page.screenshot(path=pictures / "retention.png", full_page=True)
        page.emulate_media(color_scheme="dark")
        page.set_viewport_size({"width": 390, "height": 800})
        assert overflows(page) <= 0
        page.screenshot(path=pictures / "retention-phone.png", full_page=True)
        page.locator("#subject_name").fill("nobody")
        page.get_by_role("button", name="Look what would go").click()
        expect(page.locator("main")).to_contain_text("Nothing to erase")
        assert violations(page) == [] and overflows(page) <= 0
        page.screenshot(path=pictures / "erase-phone.png", full_page=True)
        page.go_back()
        page.get_by_role("link", name="Release the hold on team payments").click()
        page.get_by_role("button", name="Release the hold").click()
        expect(page.locator("main")).to_contain_text("Nothing is held")

    browse(live, viewport={"width": 1280, "height": 800})
