import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.plugins.forked import ROOT

READ = """
import json, sys
from luthien_site import settings
names = sys.argv[1:]
print(json.dumps({name: getattr(settings, name) for name in names}, default=str))
"""


def read(data_dir: Path, *names: str, **variables: str) -> dict[str, Any]:
    """The settings `names` of a process that starts with only these variables."""
    done = start(data_dir, READ, *names, **variables)
    assert done.returncode == 0, done.stderr
    settings: dict[str, Any] = json.loads(done.stdout)
    return settings


def start(data_dir: Path, code: str, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    environment = {"PATH": "/usr/bin:/bin", "LUTHIEN_DATA_DIR": str(data_dir), **variables}
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


def test_a_laptop_needs_no_variable(data_dir: Path) -> None:
    names = ("DATABASES", "CHANNEL_LAYERS", "CELERY_BROKER_URL", "LUTHIEN_RECORD", "LUTHIEN_AUTH", "ALLOWED_HOSTS")
    settings = read(data_dir, *names, "DEBUG", "SESSION_COOKIE_SECURE")
    assert settings["DATABASES"]["default"]["NAME"] == str(data_dir / "luthien.sqlite3")
    assert settings["CHANNEL_LAYERS"]["default"]["BACKEND"] == "channels.layers.InMemoryChannelLayer"
    assert settings["CELERY_BROKER_URL"].startswith("files://")
    assert settings["LUTHIEN_RECORD"] == "blocking"
    assert settings["LUTHIEN_AUTH"] == "keys"
    assert settings["ALLOWED_HOSTS"] == ["localhost", "127.0.0.1", "[::1]"]
    assert settings["DEBUG"] is False
    assert settings["SESSION_COOKIE_SECURE"] is False


def test_redis_carries_messages_and_jobs(data_dir: Path) -> None:
    settings = read(data_dir, "CHANNEL_LAYERS", "CELERY_BROKER_URL", REDIS_URL="redis://r:6379/0")
    assert settings["CHANNEL_LAYERS"]["default"]["BACKEND"] == "channels_redis.pubsub.RedisPubSubChannelLayer"
    assert settings["CELERY_BROKER_URL"] == "redis://r:6379/0"


def test_a_public_https_address_makes_cookies_secure(data_dir: Path) -> None:
    names = ("ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE")
    settings = read(data_dir, *names, LUTHIEN_URL="https://luthien.example:8443/", LUTHIEN_HOSTS="a.example")
    assert settings["ALLOWED_HOSTS"][3:] == ["a.example", "luthien.example"]
    assert settings["CSRF_TRUSTED_ORIGINS"] == ["https://luthien.example:8443"]
    assert settings["SESSION_COOKIE_SECURE"] is True
    assert settings["CSRF_COOKIE_SECURE"] is True


def test_a_wrong_value_ends_every_command_with_one_sentence(data_dir: Path) -> None:
    code = "import sys; sys.argv = ['manage.py', 'check']; import manage; manage.main()"
    done = start(data_dir, code, LUTHIEN_RECORD="sometimes")
    assert done.returncode == 1
    assert done.stderr.strip() == "LUTHIEN_RECORD must be one of blocking, async, off."


@pytest.mark.django_db
def test_sqlite_or_postgres_is_opened_as_the_settings_say() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA synchronous")
            assert cursor.fetchone() == (2,)
            cursor.execute("PRAGMA journal_mode")
            assert cursor.fetchone() == ("wal",)
        else:
            assert connection.settings_dict["CONN_MAX_AGE"] == 0
