"""Starting a client through the gateway: with its address and a key, and nothing of the user's own files touched."""

from __future__ import annotations

import os
import shutil
import sys
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from gateway import secrets, services
from gateway.directory import loading
from luthien_site.environment import text

KEY = "LUTHIEN_API_KEY"
PATIENCE = 5.0
"""Seconds within which the gateway has to say that it is there."""


class Launcher(BaseCommand, ABC):
    """A command that becomes the client `program`: everything behind the command's name is the client's."""

    program = ""
    title = ""
    install = ""

    def run_from_argv(self, argv: list[str]) -> None:
        """Without Django's parser, which would take options such as `--version` for its own.

        A first `--`, which keeps Django from looking at what follows it, is not the client's.
        """
        try:
            self.launch(argv[3:] if argv[2:3] == ["--"] else argv[2:])
        except CommandError as error:
            self.stderr.write(str(error))
            sys.exit(1)

    def handle(self, *arguments: str, **options: object) -> NoReturn:
        self.launch(arguments)

    def launch(self, arguments: Sequence[str]) -> NoReturn:
        """Does not return. Raises CommandError."""
        found = shutil.which(self.program)
        if found is None:
            raise CommandError(f"{self.title} is not installed: there is no `{self.program}` on PATH. {self.install}")
        require_gateway(settings.LUTHIEN_URL)
        before, theirs = self.prepared(settings.LUTHIEN_URL, own_environment(os.environ))
        sys.stdout.flush()
        os.execve(found, [self.program, *before, *arguments], theirs)  # noqa: S606 (no shell is wanted)

    @abstractmethod
    def prepared(self, url: str, environment: dict[str, str]) -> tuple[list[str], dict[str, str]]:
        """Arguments that go before the user's, and the client's whole environment. Raises CommandError."""

    def key(self) -> str:
        """A key for this client: LUTHIEN_API_KEY, or one that is made at its first start. Raises CommandError."""
        given = text(KEY)
        if given:
            return given
        try:
            return kept_key(self.program, settings.LUTHIEN_DATA_DIR / "clients")
        except (DatabaseError, OSError) as error:
            raise CommandError(
                f"No key could be made for {self.title} ({type(error).__name__}): set {KEY} to one of this gateway's."
            ) from None


def require_gateway(url: str) -> None:
    """Raises CommandError where no gateway answers at `url`."""
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=PATIENCE) as answer:  # noqa: S310 (the scheme is ours)
            if answer.status == 200:
                return
    except (urllib.error.URLError, OSError, ValueError):
        pass
    raise CommandError(
        f"No gateway answers at {url}: start it with `python3 manage.py up`, or set LUTHIEN_URL to where it is."
    )


def own_environment(ours: Mapping[str, str]) -> dict[str, str]:
    """What a client gets: without what was set for Luthien, secrets among it, that an agent's tools would see."""
    return {
        name: value
        for name, value in ours.items()
        if not name.startswith("LUTHIEN_") and (name, value) != ("DJANGO_SETTINGS_MODULE", "luthien_site.settings")
    }


def kept_key(name: str, folder: Path) -> str:
    """The key kept in `folder` for the client `name`; a new one where there is none that is good. Raises OSError."""
    path = folder / f"{name}.key"
    if path.exists():
        kept = path.read_text(encoding="ascii").strip()
        if loading.find_client(secrets.digest(kept)) is not None:
            return kept
    _, made = services.create_key(name, actor=name)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = folder / f".{name}.{os.getpid()}"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(made)
    draft.replace(path)
    return made
