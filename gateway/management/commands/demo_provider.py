"""`manage.py demo_provider`: the demo provider over real sockets."""

import asyncio
import gc
from argparse import ArgumentParser
from typing import Any

import uvloop
from django.core.management.base import BaseCommand, CommandError

from gateway.upstreams.demo.server import serve


class Command(BaseCommand):
    help = "Runs the demo provider as a server of its own, until it is interrupted."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, required=True, help="0 takes a free one")
        parser.add_argument("--host", default="127.0.0.1")

    def handle(self, *, host: str, port: int, **options: Any) -> None:
        # What Django loaded stays: a collection that walks it would be seen in the latencies measured against this.
        gc.freeze()
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(serve(host, port, self.announce))
        except OSError as error:
            raise CommandError(f"The demo provider cannot listen on {host}:{port}: {error.strerror}.") from None

    def announce(self, url: str) -> None:
        self.stdout.write(url)
        self.stdout.flush()
