from argparse import ArgumentParser
from contextlib import ExitStack
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from luthien_site import serving

HOW_TO_CONNECT = """\
Claude Code        export ANTHROPIC_BASE_URL={url}
                   export ANTHROPIC_AUTH_TOKEN={key}
                   claude
Anthropic SDK      Anthropic(base_url="{url}", auth_token="{key}")
OpenAI SDK         OpenAI(base_url="{url}/v1", api_key="{key}")
Without a provider, the model demo/echo answers:
                   curl {url}/v1/messages -H "x-api-key: {key}" -H "content-type: application/json" \\
                     -d '{{"model": "demo/echo", "max_tokens": 99, "messages": [{{"role": "user", "content": "Hello"}}]}}'
"""


class Command(BaseCommand):
    help = "Sets Luthien up where it is not yet, and serves it until interrupted."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (127.0.0.1)")
        parser.add_argument("--port", type=int, default=8000, help="the port to listen on (8000)")
        parser.add_argument("--workers", type=int, default=1, help="how many processes serve (1)")

    def handle(self, *, host: str, port: int, workers: int, **options: Any) -> None:
        try:
            serving.check_port(host, port)
        except serving.CannotServe as reason:
            raise CommandError(str(reason)) from None
        url = serving.announce(serving.console_url(host, port))
        self.stderr.write("Preparing the database ...")
        call_command("migrate", interactive=False, verbosity=0)
        self.introduce(url)
        with ExitStack() as beside:
            if serving.needs_worker():
                beside.enter_context(serving.worker_beside())
            serving.serve(host, port, workers)
        self.stderr.write("Stopped.")

    def introduce(self, url: str) -> None:
        """Makes what the first start makes, applies LUTHIEN_CONFIG, and says how to get in."""
        from gateway.config_file import apply_if_changed
        from gateway.services import first_run

        made = serving.first_admin(settings.LUTHIEN_ADMIN_PASSWORD)
        given = "as LUTHIEN_ADMIN_PASSWORD says" if settings.LUTHIEN_ADMIN_PASSWORD else made
        key = first_run()
        if settings.LUTHIEN_CONFIG:
            apply_if_changed(settings.LUTHIEN_CONFIG)
        self.stdout.write(f"\nLuthien            {url}/")
        self.stdout.write(f"Admin              user admin, password {given if made else 'as before'}")
        self.stdout.write(f"API key            {key or 'as before (manage.py create_key NAME makes another)'}\n")
        self.stdout.write(HOW_TO_CONNECT.format(url=url, key=key or "YOUR_KEY"))
        self.stdout.write("Ctrl-C stops it.")
        self.stdout.flush()
