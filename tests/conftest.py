import pytest
from django.conf import settings


def pytest_configure() -> None:
    # The real hashers are slow on purpose.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Runs what starts servers and browsers last, so that a broken function is seen before a broken system."""
    items.sort(key=lambda item: "live_luthien" in getattr(item, "fixturenames", ()))
