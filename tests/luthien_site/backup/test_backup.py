"""A backup of a real, filled database, restored into either kind of database; each step is a process of its own."""

from __future__ import annotations

import subprocess
import zipfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import orjson
import pytest

from tests.plugins.live import LiveLuthien, StartLuthien, end, migrated
from tests.plugins.services import drop_database

FILL = """
from django.contrib.auth.models import User
from django.core.management import call_command
from gateway.models import Provider
from gateway import services
from observability.jobs import jobs
from policies import services as policies
from policies.models import Terms
from tests.console import seed
call_command("set_up")
provider = Provider(name="p", dialect="openai", base_url="https://p.example/v1")
services.save_provider(provider, actor="ada", api_key="k-1")
policy = policies.create_policy("words", actor="ada")
version = policies.create_version(policy, "uppercase_nth_word", {"n": 2}, actor="ada")
policies.activate(version, Terms(mode="shadow"), actor="ada")
User.objects.get(username="admin").groups.add(1)
jobs.create("export", "ada")
seed.fill(seed.ordinary, seed.failing_open)
"""
A_WORKER = """
from datetime import timedelta
from django.utils import timezone
from observability.models import Worker
now = timezone.now()
Worker.objects.create(name="elsewhere", started_at=now, heartbeat_at=now + timedelta(hours=1))
"""
NO_WORKER = """
from observability.models import Worker
Worker.objects.all().delete()
"""
COUNTS = """
from luthien_site.backup.tables import tables
from django.db import connection
with connection.cursor() as cursor:
    for table in tables():
        cursor.execute(f'SELECT count(*) FROM "{table.name}"')
        print(table.name, cursor.fetchone()[0])
"""
BACKUP = """
from django.core.management import call_command
call_command("backup", "{file}", with_keys=True)
"""
RESTORE = """
from django.core.management import call_command
call_command("restore", "{file}", with_keys=True, key=["{key}"])
print("counts")
"""
FAILING_EVENTS = """
from django.db import DatabaseError
from observability import audit
def fail(**_):
    raise DatabaseError("no room")
audit.record = fail
"""
EVENTS = """
from observability.models import AuditEvent
for event in AuditEvent.objects.filter(action__startswith="record."):
    print(event.action, event.actor)
"""
GO_ON = """
from gateway.models import Provider
from gateway import services
print(Provider.objects.get(name="p").api_key)
services.save_provider(Provider(name="q", dialect="openai", base_url="https://q.example/v1"), actor="ada")
"""


def run(server: LiveLuthien, code: str) -> str:
    try:
        return server.manage("shell", "-v", "0", "-c", code)
    except subprocess.CalledProcessError as error:
        pytest.fail(error.stderr)


def failure(server: LiveLuthien, *arguments: str) -> str:
    with pytest.raises(subprocess.CalledProcessError) as raised:
        server.manage(*arguments)
    return str(raised.value.stderr)


def rows(counts: str) -> dict[str, int]:
    """How many each table has, as COUNTS says it."""
    return {name: int(number) for name, number in map(str.split, counts.splitlines())}


def key_of(file: Path) -> str:
    return str(orjson.loads(zipfile.ZipFile(file).read("manifest.json"))["public_key"])


Backup = Callable[[str], tuple[Path, str]]


@pytest.fixture(scope="module")
def backup(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backup]:
    """Of a filled database of a kind: the file, and how many rows each table had."""
    made: list[str] = []

    @cache
    def of(kind: str) -> tuple[Path, str]:
        folder = tmp_path_factory.mktemp(kind)
        url = migrated(kind, folder)
        made.append(url)
        server = LiveLuthien(folder, {"DATABASE_URL": url, "REDIS_URL": ""})
        file = folder / "luthien.backup"
        said = run(server, FILL + 'print("counts")' + COUNTS + BACKUP.format(file=file))
        assert f"{file}: 5 calls, " in said
        end(server)
        return file, said.partition("counts\n")[2].partition(str(file))[0]

    yield of
    for url in made:
        if url.startswith("postgres"):
            drop_database(url)


@pytest.mark.parametrize(
    ("source", "target"),
    [("sqlite", "sqlite"), ("sqlite", "postgres"), ("postgres", "sqlite"), ("postgres", "postgres")],
)
def test_what_was_backed_up_is_restored_and_verified(
    live_luthien: StartLuthien, backup: Backup, source: str, target: str
) -> None:
    file, counts = backup(source)
    assert file.stat().st_mode & 0o077 == 0
    after = live_luthien(database=target, start=False)
    said = run(after, RESTORE.format(file=file, key=key_of(file)) + COUNTS)
    assert "Verified: " in said
    was, now = rows(counts), rows(said.partition("counts\n")[2])
    assert now.pop("observability_auditevent") == was.pop("observability_auditevent") + 1, "that it was restored"
    assert now == was
    # The credential can be read with the key that came along, and what is new gets a number of its own.
    assert run(after, GO_ON).strip() == "k-1"


def test_a_database_in_use_is_not_overwritten_unless_forced(live_luthien: StartLuthien, tmp_path: Path) -> None:
    server = live_luthien()
    file = tmp_path / "luthien.backup"
    # A gateway that runs is not held up.
    assert "are not in it" in server.manage("backup", str(file))
    assert not [name for name in zipfile.ZipFile(file).namelist() if name.startswith("keys/")]
    assert "Luthien runs on this database" in failure(server, "restore", str(file), "--force")
    server.stop()
    run(server, A_WORKER)
    assert "Luthien runs on this database" in failure(server, "restore", str(file), "--force")
    run(server, NO_WORKER + FILL)
    assert "--force" in failure(server, "restore", str(file))
    assert "No keys are in it" in failure(server, "restore", str(file), "--with-keys", "--force")
    assert ", signed by this installation." in server.manage("restore", str(file), "--check")
    assert run(server, EVENTS).splitlines() == ["record.backed_up manage.py backup"]
    said = server.manage("restore", str(file), "--force")
    assert run(server, EVENTS).splitlines() == ["record.restored manage.py restore"]
    assert "Verified: " in said
    assert "The secret key is another" not in said


def test_a_restore_and_its_event_are_there_both_or_neither(live_luthien: StartLuthien, backup: Backup) -> None:
    file, _ = backup("sqlite")
    server = live_luthien(start=False)
    before = run(server, COUNTS)
    wrong = FAILING_EVENTS + RESTORE.format(file=file, key=key_of(file))
    assert "The database failed: no room" in failure(server, "shell", "-v", "0", "-c", wrong)
    assert run(server, COUNTS) == before


def test_a_backup_that_is_not_on_record_is_told_apart_from_one_that_was_not_made(
    live_luthien: StartLuthien, tmp_path: Path
) -> None:
    server = live_luthien(start=False)
    file = tmp_path / "luthien.backup"
    wrong = FAILING_EVENTS + BACKUP.format(file=file)
    assert f"{file} is whole, but" in failure(server, "shell", "-v", "0", "-c", wrong)
    made = file.read_bytes()
    run(server, "from django.db import connection; connection.cursor().execute('DROP TABLE observability_seal')")
    assert "Nothing was backed up: the database cannot be read" in failure(server, "backup", str(file))
    assert file.read_bytes() == made


def test_a_damaged_backup_restores_nothing(live_luthien: StartLuthien, backup: Backup, tmp_path: Path) -> None:
    whole, _ = backup("sqlite")
    short, other = tmp_path / "short.backup", tmp_path / "other.backup"
    content = whole.read_bytes()
    short.write_bytes(content[: len(content) // 2])
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(other, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read("tables/auth_group.msgpack.zst" if "auth_user.msg" in name else name))
    server = live_luthien(start=False)
    assert "cut off" in failure(server, "restore", str(short))
    assert f"go on with --key {key_of(whole)}" in failure(server, "restore", str(whole))
    assert "auth_user" in failure(server, "restore", str(other), "--key", key_of(whole))
    assert "gateway_provider 0\n" in run(server, COUNTS)
