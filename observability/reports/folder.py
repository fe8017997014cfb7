"""Where reports lie: a folder of the data directory, for our eyes alone. A report is there whole, or not at all."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from observability.jobs import jobs

from .models import Report


def folder() -> Path:
    """Made if it is not there. Raises OSError."""
    path = Path(settings.LUTHIEN_DATA_DIR) / "reports"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def path_of(report: Report) -> Path:
    """Where a report that is whole lies."""
    return folder() / report.file


def draft_name(pk: int, attempt: int) -> str:
    """The folder in which an attempt of the job works."""
    return f".{pk}-{attempt}.draft"


def archive_of(place: Path) -> Path:
    """Where the archive lies that is made in that folder, until it is renamed."""
    return place.with_name(f"{place.name}.zip")


def name_of(pk: int, attempt: int) -> str:
    """The name of an attempt's archive when it is whole."""
    return f"{pk}-{attempt}.zip"


def sweep(pk: int, keep: str = "") -> None:
    """Delete all that attempts at a report left behind, but for the file `keep`."""
    for path in (*folder().glob(f".{pk}-*.draft*"), *folder().glob(f"{pk}-*.zip")):
        if path.name != keep:
            remove(path)


def remove(path: Path) -> None:
    """A file or a folder; nothing happens where there is none."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def put_in_place(draft: Path, final: Path) -> None:
    """Rename a whole file to its name, durable on return. Raises OSError."""
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    draft.replace(final)
    descriptor = os.open(final.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def working_folder(path: Path) -> Iterator[Path]:
    """A fresh folder, which is gone at the end. Raises jobs.Failure where the disk does not take what is written."""
    try:
        remove(path)
        path.mkdir(mode=0o700)
        yield path
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise jobs.Failure("The disk is full: free some space in the data directory, or ask for less.") from error
        if error.errno in (errno.EACCES, errno.EROFS):
            raise jobs.Failure("The data directory cannot be written to: give the worker permission.") from error
        raise
    finally:
        remove(path)
