"""A policy's whole life in a real browser against a real server: made, put in force step by step, and taken back."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Page

from tests.console.browser import DESK, browse, faults, log_in
from tests.console.conftest import ADMIN
from tests.plugins.live import LiveLuthien

pytestmark = pytest.mark.browser

MUCH = """
from tests.console import seed
from policies import services
from policies.models import Terms
seed.fill(seed.ordinary)
for name in ("no-shell-deletes", "a-name-that-is-as-long-as-names-may-be-" * 2 + "and-a-bit"):
    policy = services.create_policy(name, actor="ada")
    for n in range(4):
        note = "why " * 30 if n else ""
        rules = [{"find": "x" * 60 * n or "a", "replace": "y"}]
        version = services.create_version(policy, "string_replacement", {"rules": rules}, actor="ada", note=note)
        services.activate(version, Terms(mode="shadow", percent=100 - n * 20), actor="ada")
"""


@pytest.fixture(scope="module")
def busy(site: LiveLuthien) -> LiveLuthien:
    """The site with policies of several versions, of which one has blocked a call."""
    site.manage("shell", "-v", "0", "-c", MUCH)
    return site


def press(page: Page, name: str, role: str = "button") -> None:
    """Goes to a button or link as the keyboard does, and presses Enter."""
    target = page.get_by_role(role, name=name).first  # type: ignore[arg-type]
    target.focus()
    target.press("Enter")
    page.wait_for_load_state()


def standing(page: Page) -> str:
    return (page.text_content(".ladder [aria-current] h3") or "").split()[0]


def test_a_policy_is_made_put_in_force_step_by_step_and_rolled_back_by_keyboard(site: LiveLuthien) -> None:
    def visit(page: Page) -> None:
        log_in(page, site.url, *ADMIN)
        press(page, "Policies", "link")
        press(page, "Add a policy", "link")
        page.get_by_label("Words").fill("replaces text")
        with page.expect_navigation():
            page.keyboard.press("Enter")
        press(page, "Use this policy", "link")
        page.get_by_label("Name of the policy").fill("names")

        press(page, "Add a row to Rules")
        page.locator("[name='config.rules.0.find']:focus").wait_for()
        page.keyboard.type("hello")
        page.keyboard.press("Tab")
        page.keyboard.type("goodbye")
        press(page, "Add a row to Rules")
        page.locator("[name='config.rules.1.find']:focus").wait_for()
        page.keyboard.type("(")
        page.get_by_label("Regex").nth(1).press("Space")
        page.get_by_label("Why this version").fill("The first try")
        page.keyboard.press("Enter")
        page.get_by_text("It was not stored").wait_for()
        assert "regular expression cannot be used" in (page.text_content("#field-config-rules-1") or "")
        assert page.input_value("[name='config.rules.0.replace']") == "goodbye"
        press(page, "Remove Rules 2")
        page.locator("[name='config.rules.1.find']").wait_for(state="detached")
        assert page.evaluate("document.activeElement.id") == "field-config-rules-add"
        press(page, "Save policy")

        page.get_by_text("Version 1 is stored").wait_for()
        for button, rung in (("Put in shadow", "Shadow"), ("Enforce for 10 %", "Some"), ("Enforce for all", "Enforce")):
            press(page, button, "link")
            page.get_by_text("Nothing has changed yet").wait_for()
            press(page, "Put in force")
            page.get_by_text("is in force in").first.wait_for()
            assert standing(page) == rung

        press(page, "New version", "link")
        page.get_by_label("Find").fill("hi")
        press(page, "Save version")
        press(page, "put it in force", "link")
        press(page, "See what it changes")
        press(page, "What differs between the versions", "link")
        assert page.locator("del.value").all_text_contents() == ["hello"]
        assert page.locator("ins.value").all_text_contents() == ["hi"]
        page.go_back()
        press(page, "Put in force")
        page.get_by_text("Version 2 is in force").wait_for()

        press(page, "Roll back to version 1", "link")
        press(page, "Roll back")
        page.get_by_text("Rolled back to version 1").wait_for()
        assert "rolled back from version 2 to version 1" in (page.text_content("section:has(#events)") or "")
        press(page, "Take out of force", "link")
        press(page, "Take out of force")
        page.get_by_text("Nothing of this policy is in force").wait_for()

    browse(visit, viewport=DESK, expected=["422"])


def test_what_is_put_in_force_judges_the_next_calls_and_is_seen_on_the_page(site: LiveLuthien) -> None:
    key = site.manage("create_key", "journey").strip()

    def visit(page: Page) -> None:
        log_in(page, site.url, *ADMIN)
        page.goto(f"{site.url}/policies/new/?class=uppercase")
        page.get_by_label("Name of the policy").fill("loud")
        press(page, "Save policy")
        press(page, "Enforce for all", "link")
        press(page, "Put in force")
        page.get_by_text("is in force in").first.wait_for()
        page.goto(site.url)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            page.fill("#try-key", key)
            page.fill("#try-prompt", "quietly")
            page.click("#try button")
            page.locator("#try-answer:not([hidden])").wait_for()
            if page.text_content("#try-answer .text") == "QUIETLY":
                break
            page.wait_for_timeout(100)
        assert page.text_content("#try-answer .text") == "QUIETLY"
        page.goto(f"{site.url}/policies/loud/end/")
        press(page, "Take out of force")

    browse(visit)


def test_a_form_is_filled_in_without_scripts(site: LiveLuthien) -> None:
    def visit(page: Page) -> None:
        log_in(page, site.url, *ADMIN)
        page.goto(f"{site.url}/policies/new/?class=string_replacement")
        page.get_by_label("Name of the policy").fill("quiet")
        page.get_by_role("button", name="Add a row to Rules").click()
        page.get_by_label("Find").fill("a")
        page.get_by_role("button", name="Add a row to Rules").click()
        page.get_by_label("Find").nth(1).fill("b")
        page.get_by_role("button", name="Up Rules 2").click()
        assert page.get_by_label("Find").first.input_value() == "b"
        page.get_by_role("button", name="Edit as JSON").click()
        assert '"find": "b"' in page.input_value("#config-json")
        page.get_by_role("button", name="Edit as a form").click()
        page.get_by_role("button", name="Save policy").click()
        assert page.text_content("h1") == "quiet"

    browse(visit, java_script_enabled=False)


def paths(page: Page, site: LiveLuthien) -> list[str]:
    long = page.locator("a[href^='/policies/a-name']").first.get_attribute("href") or ""
    own = ["", "history/", "versions/2/", "versions/new/", "diff/?from=1&to=3", "activate/", "roll-back/", "end/"]
    return [
        *("/policies/", "/policies/catalogue/", "/policies/catalogue/?q=nothing", "/policies/new/?class=secrets"),
        *("/policies/no-shell-deletes/", *(long + path for path in own)),
    ]


def test_pages_fit_their_window_and_have_no_serious_fault_of_access(busy: LiveLuthien) -> None:
    def visit(page: Page) -> list[str]:
        log_in(page, busy.url, *ADMIN)
        page.goto(busy.url + "/policies/")
        found = []
        for path in paths(page, busy):
            page.goto(busy.url + path)
            page.evaluate("document.querySelectorAll('main details').forEach((each) => (each.open = true))")
            found += faults(page, path)
        return found

    assert browse(visit, bypass_csp=True) == []


def test_charts_are_drawn_within_the_content_security_policy_and_follow_the_theme(busy: LiveLuthien) -> None:
    def visit(page: Page) -> None:
        log_in(page, busy.url, *ADMIN)
        page.goto(busy.url + "/policies/no-shell-deletes/")
        assert page.locator(".chart canvas").count() == 3
        before = page.evaluate("document.querySelector('.chart canvas').toDataURL()")
        page.click(".theme-button")
        page.wait_for_function("(before) => document.querySelector('.chart canvas').toDataURL() !== before", arg=before)
        page.set_viewport_size({"width": 500, "height": 900})
        page.wait_for_function("() => document.querySelector('.chart canvas').clientWidth < 480")
        assert page.locator(".chart canvas").count() == 3

    browse(visit, viewport=DESK, color_scheme="light")
