"""The frame of the console, in a real browser against a real server."""

import pytest
from playwright.sync_api import Page

from tests.console.browser import browse, log_in
from tests.console.conftest import ADMIN, OUTSIDER
from tests.plugins.live import LiveLuthien

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}


def test_the_home_page_asks_for_a_login_and_comes_after_it(site: LiveLuthien) -> None:
    def visit(page: Page) -> str:
        page.goto(site.url + "/")
        page.fill("#id_username", ADMIN[0])
        page.fill("#id_password", ADMIN[1])
        page.click("main button[type=submit]")
        return page.text_content("h1") or ""

    assert browse(visit) == "Home"


def test_a_wrong_password_is_told_in_words(site: LiveLuthien) -> None:
    def visit(page: Page) -> str:
        log_in(page, site.url, ADMIN[0], "wrong")
        return page.text_content("[role=alert]") or ""

    assert "password" in browse(visit)


def test_who_is_not_staff_gets_in_and_out_again(site: LiveLuthien) -> None:
    def visit(page: Page) -> None:
        log_in(page, site.url, *OUTSIDER)
        assert page.locator(".site-nav a").all_text_contents() == ["Home"]
        page.click("text=Log out")
        assert page.url == f"{site.url}/login/"

    browse(visit)


def test_every_client_has_its_tab_and_its_command_can_be_copied(site: LiveLuthien) -> None:
    def visit(page: Page) -> None:
        log_in(page, site.url, *ADMIN)
        tabs = page.get_by_role("tab")
        assert tabs.all_text_contents() == ["Claude Code", "Codex", "Anthropic SDK", "OpenAI SDK", "curl"]
        for index in range(tabs.count()):
            tabs.nth(index).click()
            page.locator(".copy:visible").click()
            page.locator(".copy:visible", has_text="Copied").wait_for()
            assert site.url in page.evaluate("navigator.clipboard.readText()")

    browse(visit, permissions=["clipboard-read", "clipboard-write"])


def test_tabs_are_walked_with_the_arrow_keys(site: LiveLuthien) -> None:
    def visit(page: Page) -> str:
        log_in(page, site.url, *ADMIN)
        page.get_by_role("tab").first.focus()
        page.keyboard.press("ArrowLeft")
        return page.locator("[role=tabpanel]:visible").get_attribute("id") or ""

    assert browse(visit) == "guide-curl"


def test_without_scripts_every_command_is_on_the_page(site: LiveLuthien) -> None:
    def visit(page: Page) -> int:
        log_in(page, site.url, *ADMIN)
        return page.locator(".snippet:visible").count()

    assert browse(visit, java_script_enabled=False) == 5


def test_the_theme_follows_the_system_until_it_is_chosen_and_then_stays(site: LiveLuthien) -> None:
    def visit(page: Page) -> None:
        ground = "getComputedStyle(document.body).backgroundColor"
        log_in(page, site.url, *ADMIN)
        light = page.evaluate(ground)
        page.emulate_media(color_scheme="dark")
        dark = page.evaluate(ground)
        assert light != dark
        page.emulate_media(color_scheme="light")
        page.click(".theme-button")
        assert page.evaluate(ground) == dark
        page.goto(site.url + "/admin/")
        assert page.evaluate(ground) == dark

    browse(visit, color_scheme="light")


def test_the_keyboard_reaches_the_content_first_and_its_place_is_seen(site: LiveLuthien) -> None:
    def visit(page: Page) -> None:
        log_in(page, site.url, *ADMIN)
        page.goto(site.url + "/")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to main content"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        for _ in range(6):
            page.keyboard.press("Tab")
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"

    browse(visit)


def test_a_phone_opens_the_navigation_with_a_button(site: LiveLuthien) -> None:
    def visit(page: Page) -> None:
        log_in(page, site.url, *ADMIN)
        assert not page.locator("#site-nav").is_visible()
        page.click(".menu-button")
        assert page.locator("#site-nav").is_visible()
        assert page.get_attribute(".menu-button", "aria-expanded") == "true"

    browse(visit, viewport=PHONE)


def test_a_page_that_is_not_there_looks_like_the_others(site: LiveLuthien) -> None:
    def visit(page: Page) -> str:
        log_in(page, site.url, *ADMIN)
        page.goto(site.url + "/nothing-here")
        return page.text_content("h1") or ""

    assert browse(visit, expected=["404"]) == "Not found"
