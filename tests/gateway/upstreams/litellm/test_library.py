import threading
from typing import Any

import pytest

from gateway.errors import Unavailable, UpstreamUnreachable
from gateway.once import Once
from gateway.upstreams.litellm import library


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process that has not loaded it."""
    for name, value in (("_module", None), ("_problem", ""), ("_loading", Once("litellm", library._load_logged))):
        monkeypatch.setattr(library, name, value)


def begin(monkeypatch: pytest.MonkeyPatch, load: Any) -> threading.Event:
    """Asks for it, with `load` in the place of loading; returns what is set once that is over."""
    over = threading.Event()

    def loading() -> Any:
        try:
            load()
        finally:
            over.set()

    monkeypatch.setattr(library, "load", loading)
    with pytest.raises(Unavailable) as warming:
        library.loaded("prov")
    assert "prov is warming up" in str(warming.value)
    assert warming.value.retry_after == 3
    return over


def test_until_it_is_loaded_a_call_is_asked_to_come_back(fresh: None, monkeypatch: pytest.MonkeyPatch) -> None:
    module = object()
    assert begin(monkeypatch, lambda: monkeypatch.setattr(library, "_module", module)).wait(10)
    assert library.loaded("prov") is module


def test_what_cannot_be_loaded_is_said(fresh: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise ImportError("secret")

    begin(monkeypatch, fail)
    for thread in threading.enumerate():
        if thread.name == "litellm":
            thread.join(10)
    with pytest.raises(UpstreamUnreachable, match="prov needs litellm, which could not be loaded"):
        library.loaded("prov")


def test_it_is_loaded_once(fresh: None, monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[int] = []
    begin(monkeypatch, lambda: loads.append(1)).wait(10)
    library.start()
    assert loads == [1]


def test_the_environment_gives_litellm_nothing_but_its_switches() -> None:
    kept = {
        "PATH": "/bin",
        "HOME": "/root",
        "LUTHIEN_SECRET_KEY": "x",
        "DATABASE_URL": "x",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "x",
    }
    taken = [
        *("OPENAI_API_KEY", "OPENAI_BASE_URL", "ANTHROPIC_AUTH_TOKEN", "GEMINI_API_KEY", "AWS_REGION", "AWS_PROFILE"),
        *("HF_TOKEN", "AZURE_CLIENT_ID", "OLLAMA_HOST", "groq_api_key", "LITELLM_MODIFY_PARAMS", "DATABRICKS_HOST"),
    ]
    environment = kept | dict.fromkeys(taken, "x")
    library.prepare(environment)
    assert environment == kept | library._SETTINGS
