"""`--live`: the tests of tests/live, which call real providers and cost money, are collected with it alone."""

import os
from pathlib import Path

import pytest

GIVEN = dict(os.environ)
"""The environment as it was: tests.plugins.services takes the keys out of it, so that no other test meets them."""
FOLDER = Path(__file__).resolve().parents[1] / "live"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--live", action="store_true", help="call the real providers whose keys are set, and an Ollama at OLLAMA_HOST"
    )


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    is_live = FOLDER in (collection_path, *collection_path.parents)
    return True if is_live and not config.getoption("--live") else None
