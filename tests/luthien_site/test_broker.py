from __future__ import annotations

import os
from pathlib import Path
from queue import Empty
from typing import Any

import orjson
import pytest
from kombu import Connection
from kombu.exceptions import ChannelError

from luthien_site import broker

Seen = list[tuple[list[str], bytes]]


@pytest.fixture
def channel(tmp_path: Path) -> Any:
    broker.register()
    folders = {"data_folder_in": str(tmp_path), "data_folder_out": str(tmp_path), "control_folder": str(tmp_path / "c")}
    return Connection("files://localhost//", transport_options=folders).channel()


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Seen:
    """What others would find before a file is in its place: the files that can be read, and what the draft holds."""
    found: Seen = []
    link, rename = os.link, Path.rename

    def look(draft: Path, file: Path) -> None:
        others = [each.name for each in file.parent.iterdir() if each.suffix in (".msg", ".exchange")]
        found.append((others, draft.read_bytes()))

    def look_and_link(draft: Path, file: Path) -> None:
        look(draft, file)
        link(draft, file)

    def look_and_rename(draft: Path, file: Path) -> Path:
        look(draft, file)
        return rename(draft, file)

    monkeypatch.setattr(os, "link", look_and_link)
    monkeypatch.setattr(Path, "rename", look_and_rename)
    return found


def test_a_message_is_there_whole_or_not_at_all(channel: Any, seen: Seen, tmp_path: Path) -> None:
    messages: list[Any] = [{"body": "one"}, {"body": "two" * 10_000}]
    for message in messages:
        channel._put("celery", message)
    assert [orjson.loads(draft) for _, draft in seen] == messages
    assert [len(files) for files, _ in seen] == [0, 1]
    assert channel._size("celery") == 2
    assert sorted((channel._get("celery") for _ in messages), key=str) == messages
    assert [path.name for path in tmp_path.iterdir()] == []


def test_the_table_of_an_exchange_is_never_empty(channel: Any, seen: Seen) -> None:
    for queue in ("celery", "other", "celery"):
        channel._queue_bind("celery", queue, "", queue)
    assert seen == [([], b"[]")]
    assert {each.queue for each in channel.get_table("celery")} == {"celery", "other"}


def test_who_makes_the_table_second_takes_what_is_there(channel: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    channel._queue_bind("celery", "first", "", "first")
    looks = iter([False, True])
    monkeypatch.setattr(Path, "exists", lambda _: next(looks))
    channel._queue_bind("celery", "second", "", "second")
    assert {each.queue for each in channel.get_table("celery")} == {"first", "second"}


def test_where_there_are_no_links_the_table_is_made_all_the_same(channel: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(draft: Path, file: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    channel._queue_bind("celery", "first", "", "first")
    assert {each.queue for each in channel.get_table("celery")} == {"first"}


def test_a_message_that_is_damaged_is_dropped(channel: Any, tmp_path: Path) -> None:
    for name, content in (("1_a", b""), ("2_b", b"{"), ("3_c", b'{"body": 1}')):
        (tmp_path / f"{name}.celery.msg").write_bytes(content)
    assert channel._get("celery") == {"body": 1}
    with pytest.raises(Empty):
        channel._get("celery")


def test_a_message_that_cannot_be_written_is_an_error_of_the_broker(channel: Any, tmp_path: Path) -> None:
    channel.data_folder_out = str(tmp_path / "absent")
    with pytest.raises(ChannelError, match="No such file"):
        channel._put("celery", {})
