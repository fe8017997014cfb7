import os
from collections.abc import Iterator

import pytest

from tests.plugins.live import LiveLuthien, end, migrated
from tests.plugins.services import DATABASE, drop_database

ADMIN = ("admin", "an admin's password")
READER = ("reader", "a reader's password")
OUTSIDER = ("outsider", "an outsider's password")

USERS = f"""
from django.contrib.auth.models import Permission, User
reader = User.objects.create_user({READER[0]!r}, password={READER[1]!r})
reader.user_permissions.set(Permission.objects.filter(codename__in=("view_callrecord", "view_body")))
User.objects.create_user({OUTSIDER[0]!r}, password={OUTSIDER[1]!r})
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveLuthien]:
    """A server of the module's own after its first start, with two more users: one may read calls, one may not."""
    kind = os.environ[DATABASE]
    folder = tmp_path_factory.mktemp("console")
    url = migrated(kind, folder)
    server = LiveLuthien(folder, {"DATABASE_URL": url, "REDIS_URL": "", "LUTHIEN_ADMIN_PASSWORD": ADMIN[1]})
    try:
        server.manage("set_up")
        server.manage("shell", "-v", "0", "-c", USERS)
        server.start()
        yield server
    finally:
        end(server)
        if kind == "postgres":
            drop_database(url)
