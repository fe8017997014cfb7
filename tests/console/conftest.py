import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

from tests.console import browser
from tests.plugins.live import LiveLuthien, end, migrated
from tests.plugins.services import DATABASE, create_database, drop_database

ADMIN = ("admin", "an admin's password")
READER = ("reader", "a reader's password")
OUTSIDER = ("outsider", "an outsider's password")

USERS = f"""
from django.contrib.auth.models import Permission, User
reader = User.objects.create_user({READER[0]!r}, password={READER[1]!r})
reader.user_permissions.set(Permission.objects.filter(codename__in=("view_callrecord", "view_body")))
User.objects.create_user({OUTSIDER[0]!r}, password={OUTSIDER[1]!r})
"""


@pytest.fixture(scope="session", autouse=True)
def chromium() -> Iterator[None]:
    """Ends the browser of this process with the last test."""
    yield
    browser.close()


@cache
def furnished(kind: str) -> tuple[str, Path]:
    """The database, and the data directory, of an installation after its first start, to be copied."""
    folder = Path(tempfile.mkdtemp(prefix="luthien-furnished-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    url = migrated(kind, folder)
    server = LiveLuthien(folder, {"DATABASE_URL": url, "REDIS_URL": "", "LUTHIEN_ADMIN_PASSWORD": ADMIN[1]})
    server.manage("set_up")
    server.manage("shell", "-v", "0", "-c", USERS)
    return url, folder


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveLuthien]:
    """A server of the module's own after its first start, with two more users: one may read calls, one may not."""
    with opened(tmp_path_factory.mktemp("console"), os.environ[DATABASE]) as server:
        yield server


@contextmanager
def opened(folder: Path, kind: str, redis: str = "") -> Iterator[LiveLuthien]:
    """The same on "postgres" or "sqlite", with its data in `folder`."""
    original, template = furnished(kind)
    shutil.copytree(template, folder, dirs_exist_ok=True)
    is_postgres = kind == "postgres"
    url = create_database(original.rpartition("/")[2]) if is_postgres else f"sqlite:///{folder / 'luthien.sqlite3'}"
    server = LiveLuthien(folder, {"DATABASE_URL": url, "REDIS_URL": redis, "LUTHIEN_ADMIN_PASSWORD": ADMIN[1]})
    try:
        server.start()
        yield server
    finally:
        end(server)
        if is_postgres:
            drop_database(url)
