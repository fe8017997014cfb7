"""What a hostile text did to a page, seen from outside."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from playwright.sync_api import Page

from observability.presentation import visible
from tests.console.browser import DESK, PHONE, overflows

MARKUP = ", ".join(f"main {name}" for name in ("script", "iframe", "style", "img[src^='//']", "video", "base", "link"))
LONGEST = 200
"""Characters of a text that a page shows at least, before it folds the rest."""


def harm(page: Page, words: str | Sequence[str], path: str) -> list[str]:
    """The faults of the page at `path`, which should show all of `words`."""
    faults = []
    if urlsplit(page.url).path != urlsplit(path).path:
        faults.append("led elsewhere")
    for window in (DESK, PHONE):
        page.set_viewport_size(window)
        if wider := overflows(page):
            faults.append(f"made the page {wider} px wider than {window['width']}")
    if page.locator("main h1").count() != 1 or page.locator(MARKUP).count():
        faults.append("became markup")
    if page.locator("header .brand, header.site-header").first.bounding_box() is None:
        faults.append("took the header away")
    said = shown(page.text_content("main") or "")
    texts = [words] if isinstance(words, str) else words
    return faults + [f"{text[:60]!r} is not shown" for text in texts if shown(text)[:LONGEST] not in said]


def shown(words: str) -> str:
    """`words` as a page says them, white space aside."""
    return "".join(visible(words).split())
