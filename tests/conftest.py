import os
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from django.conf import settings
from django.db import connections
from hypothesis import HealthCheck
from hypothesis import settings as examples

# How fast examples are made and run says something of the machine, and nothing of the code.
examples.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
examples.load_profile("busy")

LONGEST = (
    *("tests/console/test_walk.py", "tests/luthien_site/proofs/test_million.py"),
    *("tests/luthien_site/bench/test_run.py", "tests/console/test_policy_journey.py"),
    *("tests/console/test_backtest_pages.py", "tests/luthien_site/proofs/", "tests/console/test_activity.py"),
    *("tests/gateway/test_everywhere.py", "tests/gateway/test_canary.py", "tests/console/test_diff.py"),
    *("tests/console/test_reports.py", "tests/console/test_playground.py"),
    *("tests/console/test_notification_pages.py", "tests/gateway/test_activity.py"),
)
"""The first of them takes longest."""


def pytest_configure() -> None:
    # The real hashers are slow on purpose.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Runs what starts servers and browsers last, so that a broken function is seen before a broken system.

    What takes longest comes first among them: at the end of a run no process is left alone with one of those. A server
    that a module shares is started by one process, which runs the whole module.
    """
    items.sort(key=order)
    for item in items:
        if shares_a_server(item) and item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))


def order(item: pytest.Item) -> tuple[int, int]:
    if item.nodeid.startswith(LONGEST):
        return 1, next(place for place, start in enumerate(LONGEST) if item.nodeid.startswith(start))
    return (2 if shares_a_server(item) or "live_luthien" in fixtures(item) else 0), 0


def shares_a_server(item: pytest.Item) -> bool:
    """Whether it uses a fixture of a module's scope, which none of ours has but servers."""
    ours = (fixture for found in fixtures(item).values() for fixture in found if fixture.baseid.startswith("tests/"))
    return any(fixture.scope == "module" for fixture in ours)


def fixtures(item: pytest.Item) -> Mapping[str, Sequence[pytest.FixtureDef[Any]]]:
    return item._fixtureinfo.name2fixturedefs if isinstance(item, pytest.Function) else {}


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Puts SQLite's test database into a file: in memory, threads and processes could not share it."""
    database = connections["default"].settings_dict
    if database["ENGINE"].endswith("sqlite3"):
        name = f"test-{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}.sqlite3"
        database["TEST"]["NAME"] = str(settings.LUTHIEN_DATA_DIR / name)
