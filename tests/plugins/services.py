"""Starts the services that the tests run on, before Django reads its settings.

`--db postgres` (the default) is the big installation, PostgreSQL and Valkey; `--db sqlite` is the laptop, with neither.
Under xdist the controller starts PostgreSQL once and the workers inherit its address through the environment; a Valkey,
which tests empty, each of them has of its own.
"""

import atexit
import os
import secrets
import shutil
import tempfile
from collections.abc import Generator, Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.plugins.servers import Postgres, Valkey

POSTGRES = "LUTHIEN_TEST_POSTGRES"
DATABASE = "LUTHIEN_TEST_DATABASE"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--db",
        choices=("postgres", "sqlite"),
        default="postgres",
        help="the database that the tests run on: postgres (with Valkey; the default) or sqlite (alone)",
    )


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, object, object]:
    # Only a wrapper runs ahead of pytest-django, which reads the settings in this hook.
    database = os.environ.setdefault(DATABASE, early_config.known_args_namespace.db)
    prepare_environment(database)
    return (yield)


def prepare_environment(database: str) -> None:
    """Points the settings at services and a data directory of the test run's own, and at nothing of the user's."""
    for name in [name for name in os.environ if name.startswith("LUTHIEN_") and not name.startswith("LUTHIEN_TEST_")]:
        if name != "LUTHIEN_CHROMIUM":
            del os.environ[name]
    for name in ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "OTEL_EXPORTER_OTLP_ENDPOINT"):
        os.environ.pop(name, None)
    folder = tempfile.mkdtemp(prefix="luthien-data-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ["LUTHIEN_DATA_DIR"] = folder
    os.environ["LUTHIEN_SECRET_KEY"] = "a key for tests alone, which signs and encrypts nothing of worth"
    os.environ["DATABASE_URL"] = postgres_address("postgres") if database == "postgres" else ""
    os.environ["REDIS_URL"] = valkey_address() if database == "postgres" else ""


@cache
def postgres_address(database: str) -> str:
    """The URL of `database` on the run's PostgreSQL, which the first caller starts."""
    if POSTGRES not in os.environ:
        server = Postgres()
        atexit.register(server.stop)
        os.environ[POSTGRES] = server.url("")
    return os.environ[POSTGRES] + database


@cache
def valkey_address() -> str:
    """The URL of this process's Valkey, which is started for the first caller."""
    server = Valkey()
    atexit.register(server.stop)
    return server.url


def create_database(template: str = "template0") -> str:
    """Makes a database, a copy of `template`, and returns its URL."""
    import psycopg
    from psycopg.sql import SQL, Identifier

    name = f"luthien_{secrets.token_hex(8)}"
    with psycopg.connect(postgres_address("postgres"), autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {} TEMPLATE {}").format(Identifier(name), Identifier(template)))
    return postgres_address(name)


def drop_database(url: str) -> None:
    """Drops the database that `create_database` made, also under open connections."""
    import psycopg
    from psycopg.sql import SQL, Identifier

    with psycopg.connect(postgres_address("postgres"), autocommit=True) as connection:
        connection.execute(SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(url.rpartition("/")[2])))


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """The URL of an empty PostgreSQL database, a fresh one each time."""
    url = create_database()
    yield url
    drop_database(url)


@pytest.fixture
def redis_url() -> str:
    """The URL of a real Valkey, emptied for the test."""
    import redis

    with redis.Redis.from_url(valkey_address()) as client:
        client.flushall()
    return valkey_address()


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """An empty data directory of the test's own."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    return folder
