import socket
import subprocess
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from luthien_site import serving
from luthien_site.serving import CannotServe


def test_a_taken_port_is_named_with_the_way_out() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(CannotServe, match=f"Port {port} is taken; choose another with --port"):
            serving.check_port("127.0.0.1", port)


def test_a_free_port_passes() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    serving.check_port("127.0.0.1", port)


def test_an_address_that_is_not_ours_is_explained() -> None:
    with pytest.raises(CannotServe, match="has no address 192.0.2.1"):
        serving.check_port("192.0.2.1", 0)
    with pytest.raises(CannotServe, match="There is no address"):
        serving.check_port("not an address", 0)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
        ("::1", "http://[::1]:8000"),
        ("box.example", "http://box.example:8000"),
    ],
)
def test_the_console_is_where_a_browser_reaches_it(host: str, url: str) -> None:
    assert serving.console_url(host, 8000) == url


def test_the_address_of_up_is_answered_to(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ALLOWED_HOSTS = ["localhost"]
    settings.LUTHIEN_URL = "http://127.0.0.1:8000"
    monkeypatch.delenv("LUTHIEN_URL", raising=False)
    monkeypatch.setenv("LUTHIEN_URL", "")
    assert serving.announce("http://box.example:9000") == "http://box.example:9000"
    assert settings.LUTHIEN_URL == "http://box.example:9000"
    assert settings.ALLOWED_HOSTS == ["localhost", "box.example"]


def test_an_address_that_the_operator_names_wins(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.LUTHIEN_URL = "https://luthien.example"
    monkeypatch.setenv("LUTHIEN_URL", "https://luthien.example")
    assert serving.announce("http://127.0.0.1:8000") == "https://luthien.example"


@pytest.mark.parametrize(
    ("redis", "embedded", "needed"),
    [("", False, True), ("redis://r", False, False), ("redis://r", True, True)],
)
def test_a_worker_runs_beside_unless_others_are_expected(
    settings: Settings, redis: str, embedded: bool, needed: bool
) -> None:
    settings.REDIS_URL = redis
    settings.LUTHIEN_EMBEDDED_WORKER = embedded
    assert serving.needs_worker() is needed


def test_a_worker_that_will_not_stop_is_killed(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Any] = []
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(600)"
    popen = subprocess.Popen

    def start(command: list[str], **options: Any) -> Any:
        process = popen([command[0], "-c", stubborn], stdout=subprocess.PIPE, **options)
        assert process.stdout is not None
        process.stdout.readline()
        started.append(process)
        return process

    monkeypatch.setattr(subprocess, "Popen", start)
    monkeypatch.setattr(serving, "WORKER_STOP_SECONDS", 0.1)
    with serving.worker_beside():
        assert started[0].poll() is None
    assert started[0].returncode == -9
    started[0].stdout.close()
