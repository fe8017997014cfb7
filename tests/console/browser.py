"""A real Chromium for the tests of pages."""

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypeVar

from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, ViewportSize, expect, sync_playwright

AXE = Path(__file__).resolve().parents[1] / "vendor" / "axe-core" / "axe.min.js"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
SETTLED = """() => Promise.allSettled(document.getAnimations()
    .filter(each => isFinite(each.effect.getComputedTiming().endTime)).map(each => each.finished))"""
"""Ends when colours that change slowly, as those of Django's admin do, are what they will be."""
T = TypeVar("T")
Look = tuple[Literal["light", "dark"], ViewportSize]
DESK: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
LOOKS: tuple[Look, ...] = (("light", DESK), ("dark", PHONE), ("dark", DESK), ("light", PHONE))

# As long as everything else waits: the default of 5 s says something of the machine.
expect.set_options(timeout=30_000)


def browse(task: Callable[[Page], T], expected: Sequence[str] = (), **context: Any) -> T:
    """What `task` returns for a fresh page; `context` are options of playwright's new_context.

    Fails if the page broke the Content-Security-Policy, a script threw, a dialog opened, or anything else was logged as
    an error that has none of the `expected` words. The browser has a thread to itself, because playwright leaves its
    event loop running in the one it is started from.
    """
    with ThreadPoolExecutor(1) as pool:
        result, complaints = pool.submit(_browse, task, context).result()
    unexpected = [text for text in complaints if not any(word in text for word in expected)]
    assert not unexpected, unexpected
    return result


def _browse(task: Callable[[Page], T], context: dict[str, Any]) -> tuple[T, list[str]]:
    with _chromium() as browser:
        page = browser.new_context(**context).new_page()
        complaints = _complaints(page)
        return task(page), complaints


def _complaints(page: Page) -> list[str]:
    """A list that fills with what goes wrong on the page."""
    complaints: list[str] = []

    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error":
            complaints.append(message.text)

    def on_dialog(dialog: Dialog) -> None:
        complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    page.on("console", on_console)
    page.on("dialog", on_dialog)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return complaints


@contextmanager
def _chromium() -> Iterator[Browser]:
    path = os.environ.get("LUTHIEN_CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


def log_in(page: Page, url: str, name: str, password: str) -> None:
    """Leaves the page at what follows the login."""
    page.goto(f"{url}/login/")
    page.fill("#id_username", name)
    page.fill("#id_password", password)
    with page.expect_navigation():
        page.click("main button[type=submit]")


def follow(page: Page, selector: str) -> None:
    """Click what leads to another page; returns once that is whole, its scripts too."""
    with page.expect_navigation():
        page.click(selector)


def overflows(page: Page) -> int:
    """How many pixels the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def violations(page: Page) -> list[str]:
    """What axe finds wrong with the page, serious and critical, rule and places."""
    page.evaluate(SETTLED)
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE.read_text())
    # Of what is in order it need not tell every place, which takes almost as long as to look.
    found = page.evaluate("axe.run({resultTypes: ['violations']}).then(result => result.violations)")
    return [
        f"{violation['id']}: {[node['target'] for node in violation['nodes']]}"
        for violation in found
        if violation["impact"] in ("serious", "critical")
    ]


def faults(page: Page, path: str, looks: Iterable[Look] = LOOKS) -> list[str]:
    """What `violations` finds in each of the looks, and by how much the page is wider than its window."""
    found = []
    for scheme, window in looks:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size(window)
        found += [f"{path} in {scheme}, {window['width']} px wide: {fault}" for fault in violations(page)]
        if wider := overflows(page):
            found.append(f"{path}: {wider} px wider than {window['width']}")
    return found
