"""The pages of calls, in a real browser against a real server."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, ViewportSize

from observability.line_diff import LONG
from observability.presentation import visible
from tests.console import seed
from tests.console.browser import browse, log_in, overflows, violations
from tests.console.conftest import ADMIN, OUTSIDER, READER
from tests.console.hostile import PAYLOADS
from tests.plugins.live import LiveLuthien

pytestmark = pytest.mark.browser

DESK: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
PAGES = ("/", "/calls/", f"/calls/{seed.BLOCKED}/", f"/calls/{seed.BLOCKED}/diff/", "/calls/?team=nobody")


@pytest.fixture(scope="module")
def calls(site: LiveLuthien) -> LiveLuthien:
    """The site with two ordinary calls on record."""
    site.manage("shell", "-v", "0", "-c", "from tests.console import seed; seed.fill(seed.ordinary)")
    return site


def test_a_reviewer_goes_from_the_home_page_to_what_a_policy_changed(calls: LiveLuthien) -> None:
    def visit(page: Page) -> None:
        log_in(page, calls.url, *READER)
        page.click("text=blocked >> nth=0")
        page.click(f"a[href='/calls/{seed.BLOCKED}/']")
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
        assert page.locator("dialog").count() == 0
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


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_of_calls_have_no_serious_fault_of_access(calls: LiveLuthien, scheme: str) -> None:
    def visit(page: Page) -> dict[str, list[str]]:
        log_in(page, calls.url, *ADMIN)
        found = {}
        for path in PAGES:
            page.goto(calls.url + path)
            found[path] = violations(page)
        return {path: faults for path, faults in found.items() if faults}

    assert browse(visit, color_scheme=scheme, bypass_csp=True) == {}


def test_pages_of_calls_fit_a_phone(calls: LiveLuthien) -> None:
    def visit(page: Page) -> dict[str, int]:
        log_in(page, calls.url, *ADMIN)
        wider = {}
        for path in PAGES:
            page.goto(calls.url + path)
            wider[path] = overflows(page)
        return {path: pixels for path, pixels in wider.items() if pixels}

    assert browse(visit, viewport=PHONE) == {}


@pytest.fixture(scope="module")
def attacked(site: LiveLuthien) -> LiveLuthien:
    """The site with every hostile text on record, in every field of a call."""
    site.manage("shell", "-v", "0", "-c", "from tests.console import seed; seed.fill(seed.hostile)")
    return site


def test_hostile_text_is_shown_as_text_and_does_nothing(attacked: LiveLuthien) -> None:
    def visit(page: Page) -> list[str]:
        log_in(page, attacked.url, *ADMIN)
        faults = []
        for number, words in enumerate(PAYLOADS):
            for path in (f"/calls/hostile_{number}/", f"/calls/hostile_{number}/diff/"):
                page.goto(attacked.url + path)
                faults += [f"{words[:60]!r} {fault}" for fault in harm(page, words, path)]
        page.goto(attacked.url + "/calls/")
        return faults + harm(page, "", "/calls/")

    assert browse(visit, viewport=PHONE) == []


def harm(page: Page, words: str, path: str) -> list[str]:
    """What a hostile text did to a page."""
    faults = []
    if urlsplit(page.url).path != path:
        faults.append("led elsewhere")
    for window in (DESK, PHONE):
        page.set_viewport_size(window)
        if overflows(page):
            faults.append(f"made the page wider than {window['width']}")
    if page.locator("main h1").count() != 1 or page.locator("main script, main iframe, main style, main img").count():
        faults.append("became markup")
    # The diff cuts a long line where both sides are the same, and says so.
    if (len(words) <= LONG or "diff" not in path) and shown(words) not in shown(page.text_content("main") or ""):
        faults.append("is not shown")
    return faults


def shown(words: str) -> str:
    """`words` as a page says them, white space aside."""
    return "".join(visible(words).split())
