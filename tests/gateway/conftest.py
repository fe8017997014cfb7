from collections.abc import Iterator
from typing import Any

import pytest

from policies.signals import changed
from tests.gateway.running import house

__all__ = ["announced", "house"]


@pytest.fixture
def announced() -> Iterator[list[dict[str, Any]]]:
    """What was announced as changed: actor, action, subject and detail."""
    seen: list[dict[str, Any]] = []

    def note(actor: str, action: str, subject: str, detail: dict[str, Any], **_: Any) -> None:
        seen.append({"actor": actor, "action": action, "subject": subject, "detail": detail})

    changed.connect(note, weak=False)
    yield seen
    changed.disconnect(note)
