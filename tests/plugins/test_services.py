"""The services that the other tests stand on are real."""

import os
from pathlib import Path
from urllib.request import urlopen

import psycopg
import pytest
import redis

from tests.plugins.live import StartLuthien


def test_each_postgres_database_is_fresh_and_empty(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        row = connection.execute("SELECT count(*) FROM pg_stat_user_tables").fetchone()
    assert row == (0,)


def test_valkey_answers_and_is_empty(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.ping()
        assert client.dbsize() == 0


@pytest.mark.django_db
def test_the_settings_use_the_database_of_the_run() -> None:
    from django.db import connection

    assert connection.vendor == {"postgres": "postgresql", "sqlite": "sqlite"}[os.environ["LUTHIEN_TEST_DATABASE"]]


def test_the_tests_keep_away_from_the_users_data() -> None:
    from django.conf import settings

    assert settings.LUTHIEN_DATA_DIR != settings.BASE_DIR / "var"
    assert settings.LUTHIEN_ADMIN_PASSWORD == ""


def test_a_data_dir_is_private(data_dir: Path) -> None:
    assert data_dir.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_a_live_server_answers_dies_and_comes_back(live_luthien: StartLuthien, database: str) -> None:
    server = live_luthien(database=database)
    server.manage("migrate", "--check")
    with urlopen(f"{server.url}/admin/login/") as page:
        assert page.status == 200
    server.kill()
    server.restart()
    with urlopen(f"{server.url}/static/admin/css/base.css") as style:
        assert style.headers["Content-Type"].startswith("text/css")
    assert server.stop() == 0
