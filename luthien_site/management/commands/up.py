from argparse import ArgumentParser
from contextlib import ExitStack
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from luthien_site import first_start, serving


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
        self.stdout.write(first_start.prepare(url))
        self.stdout.write("Ctrl-C stops it.")
        self.stdout.flush()
        with ExitStack() as beside:
            if serving.needs_worker():
                beside.enter_context(serving.worker_beside())
            serving.serve(host, port, workers)
        self.stderr.write("Stopped.")
