"""Reports in a real browser, beside a real worker."""

from __future__ import annotations

import signal
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from playwright.sync_api import Page

from observability.verification.report import verify
from tests.console.browser import browse, faults, log_in, overflows
from tests.console.conftest import ADMIN
from tests.console.test_backtest_pages import start_worker
from tests.plugins.live import LiveLuthien

pytestmark = pytest.mark.browser

SEED = "from tests.console import seed, backtests; seed.fill(seed.ordinary, backtests.twenty)"


@pytest.fixture(scope="module")
def worked(site: LiveLuthien) -> Iterator[LiveLuthien]:
    """The site with calls on record and a real worker beside it."""
    site.manage("shell", "-v", "0", "-c", SEED)
    worker = start_worker(site)
    try:
        yield site
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.wait(120)


def test_a_report_is_asked_for_built_downloaded_and_verified(worked: LiveLuthien, tmp_path: Path) -> None:
    file, page_of = tmp_path / "report.zip", tmp_path / "report.html"

    def visit(page: Page) -> None:
        log_in(page, worked.url, *ADMIN)
        page.click("nav >> text=Reports")
        page.click("h3 >> text=Blocked calls")
        page.check("text=With what was said")
        page.click("text=Build the report")
        page.wait_for_selector("text=Download", timeout=60_000)
        with page.expect_download() as download:
            page.click("text=Download")
        assert download.value.suggested_filename.startswith("luthien-blocked-calls-")
        download.value.save_as(file)
        page.click("text=Delete the file")
        page.wait_for_selector("text=Its file is gone since")

    browse(visit)
    key = bytes.fromhex(worked.manage("verify_audit", "--print-key").strip())
    check = verify(BytesIO(file.read_bytes()), [key])
    assert (check.findings, check.calls) == ([], 1)
    page_of.write_bytes(unzipped(file, "report.html"))

    def read(page: Page) -> None:
        page.goto(page_of.as_uri())
        assert (page.locator("script").count(), page.locator("svg").count()) == (0, 3)
        assert overflows(page) == 0

    browse(read)


def test_the_pages_fit_and_can_be_read_by_everybody(worked: LiveLuthien) -> None:
    def visit(page: Page) -> list[str]:
        log_in(page, worked.url, *ADMIN)
        page.goto(f"{worked.url}/reports/new/usage/")
        found = faults(page, "new")
        page.click("text=Build the report")
        page.wait_for_selector("text=Download", timeout=60_000)
        found += faults(page, "page")
        page.goto(f"{worked.url}/reports/")
        found += faults(page, "list")
        page.goto(f"{worked.url}/reports/new/calls/")
        page.uncheck("text=CSV")
        for name in ("xlsx", "jsonl", "html"):
            page.uncheck(f"input[value={name}]")
        page.click("text=Build the report")
        page.wait_for_selector("text=This field is required.")
        return found + faults(page, "wrong")

    assert browse(visit, expected=("422",)) == []


def unzipped(file: Path, name: str) -> bytes:
    with zipfile.ZipFile(file) as archive:
        return archive.read(name)
