"""The container files, as far as they can be judged without a container engine."""

from typing import Any

import pytest
import yaml

from tests.plugins.forked import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())
OURS = ("gateway", "console", "worker", "beat")


@pytest.mark.parametrize("name", [*OURS, "postgres", "valkey"])
def test_the_services_are_there(name: str) -> None:
    assert name in COMPOSE["services"]


@pytest.mark.parametrize("name", OURS)
def test_secrets_come_as_files(name: str) -> None:
    environment = COMPOSE["services"][name]["environment"]
    for variable in ("LUTHIEN_SECRET_KEY", "LUTHIEN_ADMIN_PASSWORD", "DATABASE_URL"):
        assert variable not in environment
        secret = environment[f"{variable}_FILE"].removeprefix("/run/secrets/")
        assert secret in COMPOSE["secrets"]
        assert secret in COMPOSE["services"][name]["secrets"]


@pytest.mark.parametrize("name", OURS)
def test_nothing_starts_before_the_database_is_set_up(name: str) -> None:
    assert COMPOSE["services"][name]["depends_on"]["setup"] == {"condition": "service_completed_successfully"}


def test_every_volume_and_secret_that_is_used_is_declared() -> None:
    for service in COMPOSE["services"].values():
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert source in COMPOSE["volumes"] or (ROOT / source).exists(), source
        assert set(service.get("secrets", ())) <= set(COMPOSE["secrets"])


def test_ports_are_open_to_this_machine_alone() -> None:
    ports = [port for service in COMPOSE["services"].values() for port in service.get("ports", ())]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_the_image_installs_by_hash_and_is_not_run_by_root() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    assert any("luthien_site.bootstrap base" in line for line in lines)
    assert "USER luthien" in lines


def test_the_observability_stack_is_a_profile() -> None:
    for name in ("otel-collector", "prometheus", "grafana"):
        assert COMPOSE["services"][name]["profiles"] == ["observability"]


def test_the_workers_of_a_gateway_add_up_their_metrics() -> None:
    gateway = COMPOSE["services"]["gateway"]
    assert gateway["environment"]["PROMETHEUS_MULTIPROC_DIR"] in gateway["tmpfs"]
