"""A real Chromium for the tests of pages."""

import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal, TypeVar

from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, Playwright, ViewportSize, expect, sync_playwright

AXE = Path(__file__).resolve().parents[1] / "vendor" / "axe-core" / "axe.min.js"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
SETTLED = """() => Promise.allSettled(document.getAnimations()
    .filter(each => isFinite(each.effect.getComputedTiming().endTime)).map(each => each.finished))"""
"""Ends when colours that change slowly, as those of Django's admin do, are what they will be."""
_sessions: dict[tuple[str, str], dict[str, str]] = {}
"""The cookies of users, by the address of a server and their names there."""
T = TypeVar("T")
Look = tuple[Literal["light", "dark"], ViewportSize]
DESK: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
LOOKS: tuple[Look, ...] = (("light", DESK), ("dark", PHONE), ("dark", DESK), ("light", PHONE))

# As long as everything else waits: the default of 5 s says something of the machine.
expect.set_options(timeout=30_000)


def browse(task: Callable[[Page], T], expected: Sequence[str] = (), **context: Any) -> T:
    """What `task` returns for a fresh page of a fresh profile; `context` are options of playwright's new_context.

    Fails if the page broke the Content-Security-Policy, a script threw, a dialog opened, or anything else was logged as
    an error that has none of the `expected` words.
    """
    result, complaints = _chromium.run(task, context)
    unexpected = [text for text in complaints if not any(word in text for word in expected)]
    assert not unexpected, unexpected
    return result


class _Chromium:
    """The browser of this process, which takes seconds to start. It has a thread to itself, because playwright leaves
    its event loop running in the one it is started from."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "chromium")
        self._playwright: Playwright | None = None
        self._browser: Browser | None = None

    def run(self, task: Callable[[Page], T], context: dict[str, Any]) -> tuple[T, list[str]]:
        return self._thread.submit(self._run, task, context).result()

    def close(self) -> None:
        self._thread.submit(self._close).result()

    def _run(self, task: Callable[[Page], T], options: dict[str, Any]) -> tuple[T, list[str]]:
        with self._launched().new_context(**options) as context:
            page = context.new_page()
            complaints = _complaints(page)
            return task(page), complaints

    def _launched(self) -> Browser:
        if self._browser is None or not self._browser.is_connected():
            self._close()
            self._playwright = sync_playwright().start()
            path = os.environ.get("LUTHIEN_CHROMIUM") or shutil.which("chromium")
            self._browser = self._playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        return self._browser

    def _close(self) -> None:
        if self._browser is not None:
            self._browser.close()
        if self._playwright is not None:
            self._playwright.stop()
        self._browser = self._playwright = None


_chromium = _Chromium()
close = _chromium.close
"""Ends this process's browser, if it has one."""


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


def log_in(page: Page, url: str, name: str, password: str) -> None:
    """Leaves the page at what follows the login. A user's next page of a server has the session of the one before."""
    cookies = _sessions.get((url, name), {})
    page.context.add_cookies([{"name": key, "value": value, "url": url} for key, value in cookies.items()])
    page.goto(url)
    if "/login/" in page.url:
        page.fill("#id_username", name)
        page.fill("#id_password", password)
        with page.expect_navigation():
            page.click("main button[type=submit]")
        _sessions[url, name] = {each["name"]: each["value"] for each in page.context.cookies()}


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
