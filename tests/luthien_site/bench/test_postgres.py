import psycopg

from luthien_site.bench.postgres import Postgres


def test_it_is_durable_makes_databases_and_leaves_nothing_behind() -> None:
    with Postgres() as server:
        with psycopg.connect(server.create("some_calls")) as connection:
            settings = [connection.execute(f"SHOW {name}").fetchone() for name in ("fsync", "synchronous_commit")]
        assert settings == [("on",), ("on",)]
        assert server.folder.exists()
    assert not server.folder.exists()
