"""Reads the environment. Every variable NAME may be given as NAME_FILE, the path of a file that holds its value."""

import os
import re
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit


class BadSetting(ValueError):
    """A variable that cannot be used; the message names it and says what it may be."""


def text(name: str, default: str = "") -> str:
    """NAME's value, or the contents of NAME_FILE's file less the line's end; `default` if both are unset or empty."""
    path = os.environ.get(f"{name}_FILE")
    if not path:
        return os.environ.get(name) or default
    if os.environ.get(name):
        raise BadSetting(f"{name} and {name}_FILE are both set; keep one.")
    try:
        return Path(path).read_text(encoding="utf-8").rstrip("\r\n") or default
    except OSError as error:
        raise BadSetting(f"{name}_FILE cannot be read: {error.strerror}.") from None


def choice(name: str, *choices: str) -> str:
    """One of `choices`; the first where NAME is unset."""
    value = text(name, choices[0])
    if value not in choices:
        raise BadSetting(f"{name} must be one of {', '.join(choices)}.")
    return value


def flag(name: str) -> bool:
    """True for 1, true, yes and on; False where NAME is unset."""
    return choice(name, "0", "false", "no", "off", "1", "true", "yes", "on") in ("1", "true", "yes", "on")


def items(name: str) -> list[str]:
    """The values of a comma-separated list."""
    return [item.strip() for item in text(name).split(",") if item.strip()]


def secrets_by_name(name: str) -> dict[str, str]:
    """The values of a comma-separated list of `NAME:SECRET`. The secrets have 16 characters or more."""
    named = dict(item.partition(":")[::2] for item in items(name))
    if not all(key and len(secret) >= 16 for key, secret in named.items()):
        raise BadSetting(f"{name} must be a list of NAME:SECRET, with secrets of at least 16 characters.")
    return named


def address_with(name: str, part: str) -> str:
    """The address of a web page that has `part` in it, to be replaced; empty where NAME is unset."""
    value = text(name)
    if value and (part not in value or not value.startswith(("https://", "http://"))):
        raise BadSetting(f"{name} must be an address that begins with https:// or http:// and has {part} in it.")
    return value


def number(name: str, default: int) -> int:
    """A whole number that is not negative."""
    value = text(name, str(default))
    if not value.isdecimal():
        raise BadSetting(f"{name} must be a whole number.")
    return int(value)


def folder(name: str, default: Path) -> Path:
    """The absolute path of a folder, made for us alone if it is not there."""
    path = Path(text(name, str(default))).expanduser().resolve()
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise BadSetting(f"The folder {path} cannot be made: {error.strerror}. Set {name} to one that can.") from None
    if not os.access(path, os.W_OK):
        raise BadSetting(f"There is no permission to write in {path}; give it, or set {name} to another folder.")
    return path


def secret_key(given: str, data_dir: Path) -> str:
    """The key that signs sessions and encrypts credentials: `given`, or the one kept in the data directory.

    It is made once. Of processes that start together all get the same one, whichever wrote it.
    """
    if given:
        return given
    return _kept(data_dir / "secret_key", lambda: secrets.token_urlsafe(64))


def signing_key(given: str, data_dir: Path) -> str:
    """The Ed25519 key that seals the record, 64 hexadecimal digits: `given`, or the one kept in the data directory."""
    key = given or _kept(data_dir / "signing_key", lambda: secrets.token_hex(32))
    if re.fullmatch("[0-9a-fA-F]{64}", key) is None:
        raise BadSetting("LUTHIEN_SIGNING_KEY must be 64 hexadecimal digits, as `openssl rand -hex 32` makes them.")
    return key


def _kept(path: Path, make: Callable[[], str]) -> str:
    """What the file holds, for our eyes alone; made once, if it is not there."""
    if not path.exists():
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(make())
        try:
            # A link is made whole or not at all, and never over a key that is there.
            path.hardlink_to(draft)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text(encoding="ascii")


def database(url: str, sqlite_path: Path) -> dict[str, object]:
    """Django's DATABASES entry for a `postgresql://` or `sqlite:///` URL; SQLite at `sqlite_path` if it is empty."""
    if not url:
        return _sqlite(sqlite_path)
    parts = urlsplit(url)
    if parts.scheme in ("postgres", "postgresql"):
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(parts.path.lstrip("/")),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": unquote(parts.hostname or ""),
            "PORT": str(parts.port or ""),
            # A persistent connection leaks under ASGI, where each thread keeps one; the pool bounds them.
            "CONN_MAX_AGE": 0,
            "OPTIONS": {**dict(parse_qsl(parts.query)), "pool": {"min_size": 1, "max_size": 10, "timeout": 10}},
        }
    if parts.scheme == "sqlite" and parts.path.strip("/"):
        return _sqlite(Path(unquote(parts.path.removeprefix("/"))))
    raise BadSetting("DATABASE_URL must begin with postgresql:// or sqlite:///.")


def _sqlite(path: Path) -> dict[str, object]:
    # Made here, because SQLite would make it as readable as the umask says; its -wal and -shm take after it.
    with suppress(OSError):  # which the database explains better when it is opened
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        "OPTIONS": {
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=20000;",
            # A transaction that upgrades from read to write gets SQLITE_BUSY at once, whatever the timeout.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
        },
    }
