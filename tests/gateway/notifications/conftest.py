from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from gateway.notifications import services
from gateway.notifications.messages import EVENTS
from gateway.notifications.models import Endpoint
from tests.gateway.notifications.receiver import Receiver, receiving


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    """One that may be sent to."""
    settings.LUTHIEN_PRIVATE_HOSTS = ["127.0.0.1"]
    with receiving() as receiver:
        yield receiver


def told(url: str, *events: str, team: str = "", name: str = "siem", enabled: bool = True) -> Endpoint:
    """An endpoint that is told of `events`, or of all."""
    endpoint = Endpoint(name=name, url=url, team=team, events=list(events or EVENTS), enabled=enabled)
    services.create(endpoint, actor="ada")
    return endpoint
