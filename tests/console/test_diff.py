"""The diff pages in a real browser before a real server."""

from __future__ import annotations

from threading import Thread

import httpx
import pytest
from playwright.sync_api import Page

from observability.recording.writer import Writer
from tests.console import seed
from tests.console.browser import browse, log_in, overflows, violations
from tests.console.conftest import ADMIN
from tests.plugins.live import LiveLuthien

pytestmark = pytest.mark.browser

CHANGED = "call_changed"
HOSTILE = "<img src=x onerror=alert(1)>"
PATH = f"/calls/{CHANGED}/diff/"


async def changed(writer: Writer) -> None:
    """A long answer in which policies changed two lines, one of them hostile, and took out a tool call."""
    steps = [f"Step {number}: go on with what is next" for number in range(40)]
    said = "\n".join(["Ask Alice at noon and Bob at one", *steps, f"{HOSTILE} says hello to Alice today"])
    await seed.put_on_record(
        writer,
        CHANGED,
        seed.request("Clean up the ledger"),
        seed.answer(seed.text("First."), seed.text(said), seed.tool_use("rm")),
        seed.answer(seed.text("First."), seed.text(said.replace("Alice", "[name]").replace("Bob", "[name]"))),
        outcome="blocked",
    )


@pytest.fixture(scope="module")
def calls(site: LiveLuthien) -> LiveLuthien:
    site.manage("shell", "-v", "0", "-c", "from tests.console import seed, test_diff; seed.fill(test_diff.changed)")
    return site


def test_a_reviewer_reads_what_policies_changed_by_keyboard(calls: LiveLuthien) -> None:
    def visit(page: Page) -> None:
        log_in(page, calls.url, *ADMIN)
        page.goto(calls.url + PATH)
        where = page.locator("#diff-place")
        assert where.inner_text() == "3 changes"
        page.wait_for_selector("ins >> nth=2")
        assert page.locator("tbody.change >> nth=0").locator("del").all_inner_texts() == ["Alice", "Bob"]

        page.keyboard.press("n")
        page.keyboard.press("j")
        assert where.inner_text() == "Change 2 of 3"
        current = page.locator("tbody.current")
        assert HOSTILE in current.inner_text() and current.locator("del").inner_text() == "Alice"
        assert page.locator("main img").count() == 0
        page.keyboard.press("p")
        assert where.inner_text() == "Change 1 of 3"

        assert page.locator("text=Step 20").count() == 0
        page.locator("tbody.fold button").focus()
        page.keyboard.press("Enter")
        page.wait_for_selector("text=Step 20")
        page.click("text=Show 1 unchanged block >> nth=0")
        page.wait_for_selector("text=First.")
        assert where.inner_text() == "Change 1 of 3"

        side = page.locator("tbody.change >> nth=0").bounding_box()
        page.keyboard.press("s")
        inline = page.locator("tbody.change >> nth=0").bounding_box()
        assert side and inline and inline["height"] > side["height"]
        assert "view=inline" in page.url and page.locator("text=Step 20 >> visible=true").count() == 1
        page.keyboard.press("?")
        page.wait_for_selector("dialog >> text=Previous change")
        page.keyboard.press("Escape")
        page.click("text=JSON")
        page.wait_for_url("**as=json**")
        assert page.locator("[data-view=inline][aria-current]").count() == 1
        assert '"type": "tool_use"' in page.inner_text("#answer")

    browse(visit)


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_diff_pages_have_no_fault_of_access_and_fit(calls: LiveLuthien, scheme: str, width: int) -> None:
    def visit(page: Page) -> list[object]:
        log_in(page, calls.url, *ADMIN)
        faults: list[object] = []
        for path in (PATH, f"{PATH}?as=json", "/debug/diff", f"/debug/diff?call={CHANGED}&other={CHANGED}"):
            page.goto(calls.url + path)
            faults += violations(page)
            faults += [overflows(page)] if overflows(page) else []
        return faults

    viewport = {"width": width, "height": 844}
    assert browse(visit, color_scheme=scheme, viewport=viewport, bypass_csp=True) == []


def test_the_page_of_a_running_call_follows_it_to_its_end(site: LiveLuthien) -> None:
    key = site.manage("create_key", "followed").strip()
    script = "say Before.\npause 15\nsay After."
    body = {"model": "demo/script", "max_tokens": 99, "stream": True, "messages": [{"role": "user", "content": script}]}
    call = Thread(
        target=httpx.post,
        args=(f"{site.url}/v1/messages",),
        kwargs={"json": body, "headers": {"x-api-key": key}, "timeout": 60},
    )

    def visit(page: Page) -> None:
        log_in(page, site.url, *ADMIN)
        page.goto(f"{site.url}/activity/monitor?key=followed")
        page.get_by_role("status").get_by_text("Live", exact=True).wait_for()
        call.start()
        id = page.locator("#activity-log li").first.get_attribute("data-call")
        page.goto(f"{site.url}/calls/{id}/diff/")
        assert "Still running" in page.inner_text("#diff-state")
        page.wait_for_selector("#diff-events li[data-kind=request_received]")
        assert "After." not in page.inner_text("#answer")
        page.wait_for_function(
            "() => document.getElementById('diff-state').textContent.trim() === 'finished'", timeout=60_000
        )
        assert page.locator("#diff-so-far").count() == 0
        page.click("#answer >> text=Show 2 unchanged blocks")
        page.wait_for_selector("#answer >> text=After.")

    try:
        browse(visit)
    finally:
        if call.ident is not None:
            call.join()
