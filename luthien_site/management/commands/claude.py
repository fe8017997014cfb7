from django.conf import settings

from luthien_site.launching import Launcher


class Command(Launcher):
    help = "Starts Claude Code through the gateway; all arguments are its own."
    program = "claude"
    title = "Claude Code"
    install = "Install it with `npm install -g @anthropic-ai/claude-code`."

    def prepared(self, url: str, environment: dict[str, str]) -> tuple[list[str], dict[str, str]]:
        environment["ANTHROPIC_BASE_URL"] = url
        if settings.LUTHIEN_AUTH != "passthrough":
            # A second credential would go before the key, and in `both` decide who calls.
            environment.pop("ANTHROPIC_API_KEY", None)
            environment["ANTHROPIC_AUTH_TOKEN"] = self.key()
        return [], environment
