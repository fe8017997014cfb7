"""The list of calls and its search, in a real browser against a real server."""

import os

import pytest
from playwright.sync_api import Page, expect

from tests.console.browser import LOOKS, browse, faults, log_in
from tests.console.conftest import READER
from tests.plugins.live import LiveLuthien

pytestmark = pytest.mark.browser

FOLDER = os.environ.get("SCREENSHOTS")


@pytest.fixture(scope="module")
def calls(site: LiveLuthien) -> LiveLuthien:
    site.manage("seed_calls", "300")
    return site


def test_a_search_is_narrowed_shared_and_walked_by_keyboard(calls: LiveLuthien) -> None:
    def visit(page: Page) -> None:
        log_in(page, calls.url, *READER)
        page.goto(f"{calls.url}/calls/")
        page.keyboard.press("/")
        page.keyboard.insert_text("verdict:bl")
        expect(page.locator("#suggestions button")).to_have_text("verdict:block")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        expect(page.locator("#q")).to_have_value("verdict:block ")
        page.keyboard.type('"rm -rf"')
        page.keyboard.press("Enter")
        expect(page.locator(".chip").first).to_contain_text("verdict:block")
        assert "q=verdict%3Ablock" in page.url
        page.click(".facets a >> text=payments")
        expect(page.locator(".chips")).to_contain_text("team:payments")
        assert {cell.strip() for cell in page.locator(".rows .clip.under").all_inner_texts()} == {"payments"}
        page.locator("h1").click()
        page.keyboard.press("j")
        page.keyboard.press("j")
        page.keyboard.press("k")
        first = page.locator(".rows tbody tr:first-child td:first-child a")
        expect(first).to_be_focused()
        page.keyboard.press("Enter")
        page.wait_for_url("**/calls/call_*/")

    browse(visit)


def test_what_cannot_be_read_is_marked_where_it_stands_and_help_is_one_key_away(calls: LiveLuthien) -> None:
    def visit(page: Page) -> None:
        log_in(page, calls.url, *READER)
        page.goto(f"{calls.url}/calls/")
        page.fill("#q", "team:payments verdict:blok")
        page.press("#q", "Enter")
        expect(page.locator(".query-error mark")).to_have_text("blok")
        expect(page.locator(".query-error")).to_contain_text("Did you mean block?")
        page.locator("h1").click()
        page.keyboard.press("?")
        expect(page.locator("dialog")).to_contain_text("How to search")
        page.keyboard.press("Escape")
        page.keyboard.press("h")
        expect(page.locator("#search-help")).to_have_attribute("open", "")

    browse(visit, expected=("400",))


def test_the_list_is_readable_in_every_width_and_colour(calls: LiveLuthien) -> None:
    def visit(page: Page) -> list[str]:
        log_in(page, calls.url, *READER)
        found: list[str] = []
        for name, path in (
            ("many", ""),
            ("few", "?q=tool:bash%20outcome:blocked"),
            ("none", "?q=team:x"),
            ("bad", "?q=te:x"),
        ):
            page.goto(f"{calls.url}/calls/{path}")
            if name == "few":
                page.click("#search-help summary")
            for scheme, size in LOOKS:
                found += faults(page, name, [(scheme, size)])
                if FOLDER:
                    page.screenshot(path=f"{FOLDER}/{name}-{size['width']}-{scheme}.png")
        return found

    assert browse(visit, expected=("400",)) == []
