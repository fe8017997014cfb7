import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from luthien_site import environment
from luthien_site.environment import BadSetting


def test_a_variable_may_be_given_as_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from the file\n")
    monkeypatch.delenv("LUTHIEN_X", raising=False)
    monkeypatch.setenv("LUTHIEN_X_FILE", str(tmp_path / "secret"))
    assert environment.text("LUTHIEN_X") == "from the file"


def test_a_variable_given_twice_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LUTHIEN_X", "a")
    monkeypatch.setenv("LUTHIEN_X_FILE", str(tmp_path / "secret"))
    with pytest.raises(BadSetting, match="both set"):
        environment.text("LUTHIEN_X")


def test_a_file_that_cannot_be_read_is_named_by_its_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LUTHIEN_X_FILE", str(tmp_path / "absent"))
    with pytest.raises(BadSetting, match="LUTHIEN_X_FILE cannot be read: No such file"):
        environment.text("LUTHIEN_X")


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUTHIEN_X", "")
    assert environment.text("LUTHIEN_X", "default") == "default"


def test_a_choice_defaults_to_its_first_and_refuses_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LUTHIEN_X", raising=False)
    assert environment.choice("LUTHIEN_X", "blocking", "async") == "blocking"
    monkeypatch.setenv("LUTHIEN_X", "never")
    with pytest.raises(BadSetting, match="LUTHIEN_X must be one of blocking, async"):
        environment.choice("LUTHIEN_X", "blocking", "async")


@pytest.mark.parametrize(("value", "expected"), [("1", True), ("on", True), ("0", False), ("no", False), ("", False)])
def test_flags(monkeypatch: pytest.MonkeyPatch, value: str, expected: bool) -> None:
    monkeypatch.setenv("LUTHIEN_X", value)
    assert environment.flag("LUTHIEN_X") is expected


def test_a_list_is_split_at_commas_and_trimmed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUTHIEN_X", " a.example , ,b.example")
    assert environment.items("LUTHIEN_X") == ["a.example", "b.example"]


def test_secrets_have_names_and_are_not_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LUTHIEN_X", raising=False)
    assert environment.secrets_by_name("LUTHIEN_X") == {}
    monkeypatch.setenv("LUTHIEN_X", "one:0123456789abcdef, two:with:colons:in:it:too")
    assert environment.secrets_by_name("LUTHIEN_X") == {"one": "0123456789abcdef", "two": "with:colons:in:it:too"}


@pytest.mark.parametrize("value", ["one", "one:short", ":0123456789abcdef", "0123456789abcdef0123456789"])
def test_secrets_that_cannot_be_used_are_refused_and_not_quoted(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("LUTHIEN_X", value)
    with pytest.raises(BadSetting, match=r"^LUTHIEN_X must be a list of NAME:SECRET, with secrets of at least 16"):
        environment.secrets_by_name("LUTHIEN_X")


def test_a_folder_is_made_for_us_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LUTHIEN_X", str(tmp_path / "new" / "data"))
    folder = environment.folder("LUTHIEN_X", tmp_path)
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_cannot_be_made_is_explained(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("LUTHIEN_X", str(tmp_path / "file" / "data"))
    with pytest.raises(BadSetting, match="cannot be made: Not a directory. Set LUTHIEN_X"):
        environment.folder("LUTHIEN_X", tmp_path)


def test_a_given_secret_key_is_used_and_not_stored(tmp_path: Path) -> None:
    assert environment.secret_key("given", tmp_path) == "given"
    assert list(tmp_path.iterdir()) == []


def test_the_secret_key_is_made_once_and_readable_by_us_alone(tmp_path: Path) -> None:
    first = environment.secret_key("", tmp_path)
    assert len(first) >= 64
    assert environment.secret_key("", tmp_path) == first
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


def test_processes_that_start_together_get_the_same_secret_key(tmp_path: Path) -> None:
    keys: list[str] = []
    gate = threading.Barrier(8)

    def start() -> None:
        gate.wait()
        keys.append(environment.secret_key("", tmp_path))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 8
    assert len(set(keys)) == 1


def test_sqlite_is_the_default_and_durable(tmp_path: Path) -> None:
    entry = environment.database("", tmp_path / "luthien.sqlite3")
    assert entry["ENGINE"] == "django.db.backends.sqlite3"
    assert entry["NAME"] == str(tmp_path / "luthien.sqlite3")
    options = entry["OPTIONS"]
    assert isinstance(options, dict)
    assert "synchronous=FULL" in options["init_command"]
    assert options["transaction_mode"] == "IMMEDIATE"


def test_a_sqlite_file_and_its_log_are_for_us_alone(tmp_path: Path) -> None:
    path = tmp_path / "luthien.sqlite3"
    environment.database(f"sqlite:///{path}", tmp_path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE t (a)")
        assert {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {
            "luthien.sqlite3": 0o600, "luthien.sqlite3-wal": 0o600, "luthien.sqlite3-shm": 0o600,
        }  # fmt: skip


def test_a_sqlite_file_that_cannot_be_made_is_left_for_the_database_to_explain(tmp_path: Path) -> None:
    environment.database(f"sqlite:///{tmp_path}/nowhere/luthien.sqlite3", tmp_path)


def test_a_sqlite_url_names_a_relative_or_an_absolute_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert environment.database("sqlite:///calls.db", tmp_path)["NAME"] == "calls.db"
    assert environment.database(f"sqlite:///{tmp_path}/calls.db", tmp_path)["NAME"] == f"{tmp_path}/calls.db"


def test_a_postgres_url_is_taken_apart(tmp_path: Path) -> None:
    entry = environment.database("postgresql://me:p%40ss@db.example:6543/calls?sslmode=require", tmp_path)
    expected = {"NAME": "calls", "USER": "me", "PASSWORD": "p@ss", "HOST": "db.example", "PORT": "6543"}
    assert {name: entry[name] for name in expected} == expected
    assert entry["CONN_MAX_AGE"] == 0
    options = entry["OPTIONS"]
    assert isinstance(options, dict)
    assert options["sslmode"] == "require"
    assert options["pool"]


@pytest.mark.parametrize("url", ["mysql://db/calls", "calls.db", "sqlite://", "sqlite:///"])
def test_other_databases_are_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="must begin with postgresql:// or sqlite:///"):
        environment.database(url, tmp_path)


def test_an_address_has_the_part_that_is_to_be_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    assert environment.address_with("LUTHIEN_X", "{id}") == ""
    monkeypatch.setenv("LUTHIEN_X", "https://traces.example.com/{id}")
    assert environment.address_with("LUTHIEN_X", "{id}") == "https://traces.example.com/{id}"
    for value in ("javascript:alert('{id}')", "https://traces.example.com/"):
        monkeypatch.setenv("LUTHIEN_X", value)
        with pytest.raises(BadSetting, match="LUTHIEN_X must be an address"):
            environment.address_with("LUTHIEN_X", "{id}")
