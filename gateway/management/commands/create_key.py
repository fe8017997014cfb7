"""`manage.py create_key NAME`."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from gateway import services


class Command(BaseCommand):
    help = "Makes an API key and prints it, alone, on standard output. It is not kept and cannot be shown again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME", help="what records and policy scopes call the key")
        parser.add_argument("--team", default=None, help="the team it belongs to; made if it is new")
        parser.add_argument("--read", action="store_true", help="it reads records, and calls no model without --call")
        parser.add_argument("--call", action="store_true", help="it calls models; so it does without --read")

    def handle(self, *, name: str, team: str | None, read: bool, call: bool, **options: Any) -> None:
        try:
            key, secret = services.create_key(name, team=team, read=read, call=call or not read, actor="create_key")
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        may = " and ".join(word for word, granted in (("call models", key.can_call), ("read records", read)) if granted)
        self.stderr.write(f"Key {key.name}{f' of team {team}' if team else ''}: it may {may}.")
        self.stdout.write(secret)
