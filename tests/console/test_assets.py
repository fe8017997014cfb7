"""What the browser is given: vendored files as published, and nothing that the Content-Security-Policy would refuse."""

import hashlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
VENDOR = ROOT / "static" / "vendor"
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
REPORT = ROOT / "templates" / "reports" / "document.html"
"""A file of its own, with a Content-Security-Policy of its own, that has to look well where nothing else is."""
HEARS_KEYS = 'document.addEventListener("keydown"'
INLINE = {
    "a style attribute": re.compile(r"\sstyle\s*=", re.I),
    "a style element": re.compile(r"<style", re.I),
    "a script of its own": re.compile(r"<script(?![^>]*\ssrc=)", re.I),
    "an event handler": re.compile(r"\s(on\w+|hx-on[:\w-]*)\s*=", re.I),
    "a script as an address": re.compile(r"javascript:", re.I),
    "something from another host": re.compile(r"(src|href)\s*=\s*[\"'](https?:)?//", re.I),
    "text that is not escaped": re.compile(r"\|\s*safe\b|autoescape\s+off|mark_safe"),
}


def test_vendored_files_are_the_ones_that_were_published() -> None:
    lines = (line.split("  ") for line in (VENDOR / "CHECKSUMS").read_text().splitlines())
    listed = {name: digest for digest, name in lines}
    files = {str(path.relative_to(VENDOR)): path for path in VENDOR.glob("*/*")}
    assert {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()} == listed


def test_every_vendored_package_carries_its_licence() -> None:
    assert all((folder / "LICENSE").is_file() for folder in VENDOR.iterdir() if folder.is_dir())


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_template_has_nothing_inline_and_escapes_everything(path: Path) -> None:
    text = path.read_text()
    allowed = ["a style element"] if path == REPORT else []
    assert [name for name, pattern in INLINE.items() if pattern.search(text)] == allowed


def test_keys_of_pages_are_heard_in_one_place() -> None:
    hears = [path.name for path in (ROOT / "static" / "js").glob("*.js") if HEARS_KEYS in path.read_text()]
    # The menu hears Escape.
    assert sorted(hears) == ["keys.js", "menu.js"]


def test_style_sheets_take_their_colours_from_the_tokens() -> None:
    for path in (ROOT / "static" / "css").glob("*.css"):
        if path.name not in ("tokens.css", "admin.css", "admin-controls.css"):
            assert not re.search(r"#[0-9a-f]{3,8}\b|rgba?\(", path.read_text()), path.name
