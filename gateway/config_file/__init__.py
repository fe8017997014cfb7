"""Providers, models, keys, policies and periods of retention from a YAML file: all of it or nothing, nothing twice."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson
from django.db import transaction

from gateway import secrets, services
from gateway.config_file.applying import Applying
from gateway.config_file.document import Document, read
from gateway.config_file.errors import ConfigError, Problem
from gateway.config_file.exporting import export
from gateway.config_file.shape import understand
from gateway.models import AppliedConfig
from policies.services import touch_revision

__all__ = ["Changes", "ConfigError", "Problem", "apply", "apply_if_changed", "export"]


@dataclass(frozen=True, slots=True)
class Changes:
    """What was changed, a sentence each; false if nothing was."""

    lines: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.lines)


def apply(text: str, *, actor: str, variables: Mapping[str, str] = os.environ) -> Changes:
    """Make the installation what `text` says. Raises ConfigError, and nothing is changed."""
    return _apply(read(text, variables), actor)


def apply_if_changed(path: str | Path, *, actor: str = services.SYSTEM) -> Changes | None:
    """Apply the file at `path` if it, its variables filled in, differs from the one applied last; None if it does not.

    What was changed in the console since then stays. Raises ConfigError and OSError.
    """
    document = read(Path(path).read_text(encoding="utf-8"), os.environ)
    last = AppliedConfig.objects.first()
    return None if last is not None and last.digest == _digest(document) else _apply(document, actor)


@transaction.atomic
def _apply(document: Document, actor: str) -> Changes:
    run = Applying(document, understand(document), actor)
    with transaction.atomic():
        # First, so that two who apply at once go one after the other.
        touch_revision()
        run.run()
        if not run.changes:
            transaction.set_rollback(True)
    digest, last = _digest(document), AppliedConfig.objects.first()
    if last is None or last.digest != digest:
        services.note_applied(digest, actor=actor)
    return Changes(tuple(run.changes))


def _digest(document: Document) -> str:
    # The key of the hash keeps the secrets in it from being guessed.
    return secrets.digest(orjson.dumps(document.data, default=str, option=orjson.OPT_NON_STR_KEYS).decode())
