from django.conf import settings
from django.core.management.base import CommandError

from luthien_site.launching import KEY, Launcher

OWN = "OPENAI_API_KEY"


class Command(Launcher):
    help = "Starts Codex through the gateway; all arguments are its own."
    program = "codex"
    title = "Codex"
    install = "Install it with `npm install -g @openai/codex`."

    def prepared(self, url: str, environment: dict[str, str]) -> tuple[list[str], dict[str, str]]:
        """Codex has no variable for its address: a provider is described for this run, on its command line."""
        variable = KEY
        if settings.LUTHIEN_AUTH != "passthrough":
            environment[KEY] = self.key()
        elif environment.get(OWN):
            variable = OWN
        else:
            raise CommandError(f"Codex brings its own credential through this gateway: set {OWN}.")
        provider = {"name": "Luthien", "base_url": f"{url}/v1", "env_key": variable, "wire_api": "responses"}
        described = [f'model_providers.luthien.{name}="{value}"' for name, value in provider.items()]
        options = ['model_provider="luthien"', *described]
        return [part for option in options for part in ("-c", option)], environment
