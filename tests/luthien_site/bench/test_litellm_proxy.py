from pathlib import Path

import pytest

from luthien_site import bootstrap
from luthien_site.bench import litellm_proxy
from luthien_site.bench.litellm_proxy import LiteLLMProxy, NotInstalled

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def place(tmp_path: Path) -> bootstrap.Place:
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "peers.txt").write_text("litellm==1")
    return bootstrap.Place(tmp_path)


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the installer was told to do, which it does not."""
    told: list[str] = []

    def run(place: bootstrap.Place, *command: str | Path) -> None:
        told.append(" ".join(map(str, command)))
        if "venv" in command:
            Path(command[-1]).mkdir(parents=True)

    monkeypatch.setattr(bootstrap, "fetch_uv", lambda place: Path("uv"))
    monkeypatch.setattr(bootstrap, "run", run)
    return told


def test_it_is_installed_once_from_hashes_into_an_environment_of_its_own(
    place: bootstrap.Place, tmp_path: Path, steps: list[str]
) -> None:
    venv = litellm_proxy.install(place, tmp_path / "bench")
    assert venv == tmp_path / "bench" / "litellm-venv"
    assert "--require-hashes" in steps[-1]
    assert f"--python {venv}/bin/python" in steps[-1]
    done = len(steps)
    assert litellm_proxy.install(place, tmp_path / "bench") == venv
    assert len(steps) == done


def test_another_lock_is_another_installation(place: bootstrap.Place, tmp_path: Path, steps: list[str]) -> None:
    litellm_proxy.install(place, tmp_path / "bench")
    place.lock("peers").write_text("litellm==2")
    (tmp_path / "bench" / "litellm-venv" / "luthien-stamp").rename(tmp_path / "old")
    (tmp_path / "bench" / "litellm-venv").rmdir()
    litellm_proxy.install(place, tmp_path / "bench")
    assert len(steps) == 4


def test_what_cannot_be_installed_is_left_out_in_a_sentence(
    place: bootstrap.Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise bootstrap.InstallError("The package index cannot be reached.")

    monkeypatch.setattr(bootstrap, "fetch_uv", lambda place: Path("uv"))
    monkeypatch.setattr(bootstrap, "run", fail)
    with pytest.raises(NotInstalled, match=r"left out: The package index cannot be reached\."):
        litellm_proxy.install(place, tmp_path / "bench")
    monkeypatch.setattr(bootstrap, "fetch_uv", lambda place: None)
    with pytest.raises(NotInstalled, match="left out"):
        litellm_proxy.install(place, tmp_path / "bench")


def test_its_configuration_sends_one_model_to_the_provider(tmp_path: Path) -> None:
    config = LiteLLMProxy(Path("venv"), tmp_path, 7000, None)._config()
    assert config["model_list"] == [
        {
            "model_name": "bench",
            "litellm_params": {
                "model": "openai/demo/script",
                "api_base": "http://127.0.0.1:7000/v1",
                "api_key": "none",
            },
        }
    ]


def test_the_lock_keeps_out_the_versions_that_are_never_to_be_installed() -> None:
    lock = (ROOT / "requirements" / "peers.txt").read_text()
    version = lock.split("\nlitellm==")[1].split()[0]
    assert version not in ("1.82.7", "1.82.8")
    assert not version.startswith("1.107.")
