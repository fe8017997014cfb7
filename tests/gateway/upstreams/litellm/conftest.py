from typing import Any

import pytest

from gateway.upstreams.litellm import library
from tests.gateway.upstreams.conftest import demo_url, serve

__all__ = ["demo_url", "serve"]


@pytest.fixture(scope="session")
def litellm() -> Any:
    """The module itself, which takes seconds to come."""
    return library.load()
