"""Celery's messages as files, for installations without Redis: kombu's transport, with files that are whole or absent.

kombu makes a file and then writes into it; a worker that looks in between reads half a message, and ends.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import uuid4

import structlog
from kombu.exceptions import ChannelError
from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.json import dumps

log = structlog.get_logger(__name__)

NAME = "files"
"""The scheme of the broker's URL."""


class Channel(filesystem.Channel):
    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:
        """Raises ChannelError where it cannot be written."""
        file = Path(self.data_folder_out, f"{round(monotonic() * 1000)}_{uuid4()}.{queue}.msg")
        try:
            with _draft(file, dumps(payload).encode()) as draft:
                draft.rename(file)
        except OSError as error:
            raise ChannelError(f"A message cannot be written: {error.strerror}") from error

    def _get(self, queue: str) -> Any:
        """The next message; one that no power failure spared is dropped, and its job is begun again by `look_after`."""
        while True:
            try:
                return super()._get(queue)
            except ValueError:
                log.error("a job's message is damaged", queue=queue)

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        """Under a lock the table of an exchange only grows; that it comes to be there, no lock covers."""
        file: Path = self._exchange_file(exchange)
        if not file.exists():
            file.parent.mkdir(exist_ok=True)
            # Where another process has made it, or the file system knows no links, kombu goes on as it would.
            with _draft(file, b"[]") as draft, suppress(OSError):
                os.link(draft, file)
        super()._queue_bind(exchange, routing_key, pattern, queue)


class Transport(filesystem.Transport):
    Channel = Channel


def register() -> None:
    """Make the transport known to kombu under NAME."""
    TRANSPORT_ALIASES[NAME] = f"{__name__}:Transport"


@contextmanager
def _draft(file: Path, content: bytes) -> Iterator[Path]:
    """A file beside `file` that nobody looks for; what is left of it at the end goes."""
    draft = file.with_name(f"{file.name}.{uuid4()}.part")
    try:
        draft.write_bytes(content)
        yield draft
    finally:
        draft.unlink(missing_ok=True)
