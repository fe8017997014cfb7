import shutil
import tempfile
from pathlib import Path

import psycopg

from luthien_site.bench.postgres import Postgres


def test_it_is_durable_makes_databases_and_leaves_nothing_behind() -> None:
    with Postgres() as server:
        with psycopg.connect(server.create("some_calls")) as connection:
            settings = [connection.execute(f"SHOW {name}").fetchone() for name in ("fsync", "synchronous_commit")]
        assert settings == [("on",), ("on",)]
        assert server.folder.exists()
    assert not server.folder.exists()


def test_what_is_kept_is_there_again() -> None:
    folder = Path(tempfile.mkdtemp(prefix="luthien-postgres-kept-", dir="/var/tmp"))
    try:
        with Postgres(folder, ["synchronous_commit=off"]) as server, psycopg.connect(server.create("calls")) as there:
            assert there.execute("SHOW synchronous_commit").fetchone() == ("off",)
            there.execute("CREATE TABLE kept (number int)")
        with Postgres(folder) as server, psycopg.connect(server.create("calls")) as there:
            assert there.execute("SELECT count(*) FROM kept").fetchone() == (0,)
    finally:
        shutil.rmtree(folder)
