import os

import pytest
from django.conf import settings
from django.db import connections
from hypothesis import HealthCheck
from hypothesis import settings as examples

# How fast examples are made and run says something of the machine, and nothing of the code.
examples.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
examples.load_profile("busy")


def pytest_configure() -> None:
    # The real hashers are slow on purpose.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Runs what starts servers and browsers last, so that a broken function is seen before a broken system."""
    items.sort(key=lambda item: "live_luthien" in getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Puts SQLite's test database into a file: in memory, threads and processes could not share it."""
    database = connections["default"].settings_dict
    if database["ENGINE"].endswith("sqlite3"):
        name = f"test-{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}.sqlite3"
        database["TEST"]["NAME"] = str(settings.LUTHIEN_DATA_DIR / name)
