"""The peer: LiteLLM's proxy in an environment of its own, one worker, its simplest configuration."""

from __future__ import annotations

import os
from pathlib import Path

import yaml

from luthien_site import bootstrap
from luthien_site.bench.processes import Child

KEY = "sk-bench"
MODEL = "bench"
_ENV = {
    # Otherwise its start waits for downloads that may never come.
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",
    "LITELLM_OFFLINE_MODE": "true",
    "LITELLM_MODE": "PRODUCTION",
    "LITELLM_LOG": "ERROR",
    # It ends a stream of equal events as an endless loop; a benchmark's streams are such.
    "REPEATED_STREAMING_CHUNK_LIMIT": "100000000",
}


class NotInstalled(Exception):
    """The peer cannot be had; the message is one sentence."""


def install(place: bootstrap.Place, folder: Path) -> Path:
    """The environment's folder, made from requirements/peers.txt where it is not there yet. Raises NotInstalled."""
    venv, stamp = folder / "litellm-venv", bootstrap.stamp_of(place, "peers")
    mark = venv / "luthien-stamp"
    if mark.exists() and mark.read_text(encoding="ascii") == stamp:
        return venv
    place.cache.mkdir(exist_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        uv = bootstrap.fetch_uv(place)
        if uv is None:
            raise NotInstalled("LiteLLM's proxy is left out: its installer is not to be had for this machine.")
        bootstrap.run(place, uv, "venv", "--quiet", "--clear", "--python", bootstrap.base_python(), venv)
        lock = place.lock("peers")
        bootstrap.run(place, uv, "pip", "sync", "--quiet", "--require-hashes", "--python", venv / "bin/python", lock)
    except bootstrap.InstallError as error:
        raise NotInstalled(f"LiteLLM's proxy is left out: {error}") from None
    mark.write_text(stamp, encoding="ascii")
    return venv


class LiteLLMProxy(Child):
    """One worker that sends the model `bench` to the provider at `provider_port`."""

    def __init__(self, venv: Path, folder: Path, provider_port: int, core: int | None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__("LiteLLM's proxy", folder / "proxy.log", core)
        self._venv = venv
        self._folder = folder
        self._provider_port = provider_port

    async def start(self) -> None:
        """Returns when it serves. Raises DidNotStart."""
        config = self._folder / "config.yaml"
        config.write_text(yaml.safe_dump(self._config()), encoding="utf-8")
        unwanted = ("LITELLM_", "DATABASE_URL", "REDIS_", "OPENAI_", "ANTHROPIC_", "PYTHONPATH", "VIRTUAL_ENV")
        env = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)} | _ENV
        command = (self._venv / "bin/litellm", "--config", config, "--host", "127.0.0.1", "--port", str(self.port))
        self.spawn(command, env, self._folder)
        await self.ready("/health/liveliness")

    def _config(self) -> dict[str, object]:
        upstream = f"http://127.0.0.1:{self._provider_port}/v1"
        parameters = {"model": "openai/demo/script", "api_base": upstream, "api_key": "none"}
        return {
            "model_list": [{"model_name": MODEL, "litellm_params": parameters}],
            "general_settings": {"master_key": KEY},
            "litellm_settings": {"num_retries": 0, "callbacks": []},
        }
