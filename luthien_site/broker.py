"""Celery's messages as files, for installations without Redis: kombu's transport, with files that are whole or absent.

kombu makes a file and then writes into it; a worker that looks in between reads half a message, and ends.
"""

from __future__ import annotations

import os
from contextlib import suppress
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
            _write(file, dumps(payload).encode())
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
        """Under a lock the table of an exchange only grows; that it is there, nobody has locked."""
        file: Path = self._exchange_file(exchange)
        if not file.exists():
            file.parent.mkdir(exist_ok=True)
            _write(file, b"[]")
        super()._queue_bind(exchange, routing_key, pattern, queue)


class Transport(filesystem.Transport):
    Channel = Channel


def register() -> None:
    """Make the transport known to kombu under NAME."""
    TRANSPORT_ALIASES[NAME] = f"{__name__}:Transport"


def _write(file: Path, content: bytes) -> None:
    """Leaves a file alone that is there already."""
    draft = file.with_name(f"{file.name}.{uuid4()}.part")
    draft.write_bytes(content)
    try:
        with suppress(FileExistsError):
            os.link(draft, file)
    finally:
        draft.unlink()
