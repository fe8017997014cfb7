"""Asking a service over a real socket; and the service of the documents, asked by a policy of a real server."""

from __future__ import annotations

import asyncio
import gzip
import hmac
import os
import re
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from gateway import fetching
from policies.base import Call
from policies.fetching import FetchFailed
from tests.gateway.running import ANTHROPIC, CHAT, House, ask, both_dialects, built, streamed_and_not
from tests.gateway.running import Dialect as Spoken
from tests.plugins.servers import die_with_parent, free_port

DOCS = Path(__file__).resolve().parents[2] / "docs"
SECRET = "a secret of at least sixteen"
CALL = Call("call_1", on_fetch=fetching.fetch)
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"


@pytest.fixture(autouse=True)
async def own_services(settings: Settings) -> AsyncIterator[None]:
    settings.LUTHIEN_PRIVATE_HOSTS = ["127.0.0.0/8"]
    settings.LUTHIEN_REMOTE_SECRETS = {"decisions": SECRET}
    yield
    await fetching.stop()


@asynccontextmanager
async def service(answer: bytes | Callable[[asyncio.StreamWriter], Awaitable[None]]) -> AsyncIterator[Any]:
    """A service that gives `answer` to everybody: its URL, and what it hears."""
    heard: list[tuple[str, bytes]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while head := (await reader.readuntil(b"\r\n\r\n")).decode():
                (length,) = re.findall(r"content-length: (\d+)", head)
                heard.append((head, await reader.readexactly(int(length))))
                if callable(answer):
                    await answer(writer)
                else:
                    writer.write(answer)
                    await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}", heard
    finally:
        server.close()


async def test_a_question_is_a_signed_post_of_json() -> None:
    async with service(OK) as (url, heard):
        assert await CALL.fetch(f"{url}/judge/it?x=a b", b'{"a": 1}', secret="decisions") == b"{}"
    ((head, body),) = heard
    assert head.startswith("POST /judge/it?x=a%20b HTTP/1.1\r\n")
    headers = dict(line.split(": ", 1) for line in head.splitlines()[1:] if line)
    assert (headers["content-type"], headers["x-luthien-call-id"]) == ("application/json", "call_1")
    when = headers["x-luthien-timestamp"]
    assert abs(time.time() - int(when)) < 60
    assert (
        headers["x-luthien-signature"]
        == "v1=" + hmac.digest(SECRET.encode(), f"{when}.".encode() + body, "sha256").hex()
    )


async def test_without_a_name_nothing_is_signed_and_a_wrong_name_asks_nobody() -> None:
    async with service(OK) as (url, heard):
        await CALL.fetch(url, b"{}")
        with pytest.raises(FetchFailed, match="no secret named other"):
            await CALL.fetch(url, b"{}", secret="other")
    ((head, _),) = heard
    assert head.startswith("POST / HTTP/1.1\r\n")
    assert "signature" not in head


async def test_a_connection_is_used_again() -> None:
    ports: set[int] = set()

    async def answer(writer: asyncio.StreamWriter) -> None:
        ports.add(writer.get_extra_info("peername")[1])
        writer.write(OK)

    async with service(answer) as (url, _):
        for path in ("/a", "/b", "/a"):
            await CALL.fetch(url + path, b"{}")
    assert len(ports) == 1


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n", "answered with status 500"),
        (b"HTTP/1.1 204 No\r\n\r\n", "answered with status 204"),
        (b"HTTP/1.1 302 No\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n", "redirect"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 200000\r\n\r\n" + b"x" * 200_000, "more than 65536 bytes"),
        (b"hello there\r\n\r\n", "did not answer in HTTP"),
    ],
)
async def test_what_is_no_answer_is_a_failure(answer: bytes, why: str) -> None:
    async with service(answer) as (url, _):
        with pytest.raises(FetchFailed, match=why):
            await CALL.fetch(url, b"{}")


async def test_an_answer_that_swells_is_cut_off() -> None:
    packed = gzip.compress(b"x" * 50_000_000)
    head = f"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {len(packed)}\r\n\r\n"
    async with service(head.encode() + packed) as (url, _):
        with pytest.raises(FetchFailed, match="more than 65536 bytes"):
            await CALL.fetch(url, b"{}")


async def test_who_hangs_or_drips_is_not_waited_for() -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{")
        await asyncio.Event().wait()

    async def hang(writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    for answer in (drip, hang):
        async with service(answer) as (url, _):
            with pytest.raises(FetchFailed, match="did not answer within 0.2 s"):
                await CALL.fetch(url, b"{}", deadline=0.2)


async def test_who_is_down_cannot_be_asked() -> None:
    with pytest.raises(FetchFailed, match="could not be reached"):
        await CALL.fetch(f"http://127.0.0.1:{free_port()}", b"{}")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "2130706433"])
async def test_a_private_address_is_not_asked_unless_it_is_listed(settings: Settings, host: str) -> None:
    settings.LUTHIEN_PRIVATE_HOSTS = ["10.0.0.0/8"]
    async with service(OK) as (url, heard):
        with pytest.raises(FetchFailed, match="private address"):
            await CALL.fetch(url.replace("127.0.0.1", host), b"{}")
    assert heard == []


async def test_a_host_may_be_listed_by_its_name(settings: Settings) -> None:
    settings.LUTHIEN_PRIVATE_HOSTS = ["localhost"]
    async with service(OK) as (url, _):
        assert await CALL.fetch(url.replace("127.0.0.1", "localhost"), b"{}") == b"{}"


async def test_no_more_services_are_kept_than_some(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "_MOST_SERVICES", 1)
    async with service(OK) as (one, _), service(OK) as (other, _):
        for url in (one, other, one):
            assert await CALL.fetch(url, b"{}") == b"{}"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Where the service of the documents listens."""
    page = (DOCS / "policies/judges.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^### A service$\n+((?:    .*\n|\n)+)", page, re.MULTILINE)
    port = free_port()
    env = {**os.environ, "SECRET": SECRET, "PORT": str(port)}
    command = [sys.executable, "-c", textwrap.dedent(code)]
    process = subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL, preexec_fn=die_with_parent)
    try:
        yield port
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def decided(tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[House]:
    """A house that asks it, with the right secret, with a wrong one, and with none; and one that is not there."""
    env = {"LUTHIEN_PRIVATE_HOSTS": "127.0.0.1", "LUTHIEN_REMOTE_SECRETS": f"decisions:{SECRET},other:{'x' * 16}"}
    url = f"http://127.0.0.1:{port}/"
    with built(tmp_path_factory, "sqlite", **env) as made:
        configs = {
            "plain": {"url": url, "secret": "decisions"},
            "limited": {"url": url, "secret": "other"},
            "loud": {"url": url},
            "guarded": {"url": f"http://127.0.0.1:{free_port()}/"},
        }
        policies = [
            {"name": f"remote-{key}", "policy": "remote", "config": config, "scope": {"keys": [key]}}
            for key, config in configs.items()
        ]
        policies.append({**policies[-1], "name": "remote-open", "on_failure": "open", "scope": {"keys": ["spent"]}})
        made.apply(**{**made.config, "policies": policies})
        yield made


async def up(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the service of the documents does not start")


SENDS = 'tool send_mail {"to": "x"}'
READS = 'tool read_file {"path": "x"}'


@both_dialects
@streamed_and_not
async def test_the_service_of_the_documents_decides(decided: House, port: int, dialect: Spoken, stream: bool) -> None:
    await up(port)
    sends, reads = [await ask(decided, "plain", dialect, script, stream=stream) for script in (SENDS, READS)]
    assert "no mail" in sends.text
    assert '"to"' not in sends.text
    assert "read_file" in reads.text
    assert "blocked" not in reads.text.lower()


@pytest.mark.parametrize("key", ["limited", "loud", "guarded"], ids=["a wrong secret", "no secret", "down"])
async def test_who_does_not_answer_as_it_should_leaves_no_opinion(decided: House, port: int, key: str) -> None:
    await up(port)
    got = await ask(decided, key, ANTHROPIC, READS)
    record = await decided.record(got.headers["x-luthien-call-id"])
    assert [(verdict["action"], verdict["reason"]) for verdict in record["verdicts"]] == [
        ("failed_closed", "raised FetchFailed")
    ]


async def test_a_policy_that_may_fail_open_lets_pass(decided: House) -> None:
    got = await ask(decided, "spent", CHAT, READS)
    assert "read_file" in got.text
    record = await decided.record(got.headers["x-luthien-call-id"])
    assert [verdict["action"] for verdict in record["verdicts"]] == ["failed_open"]


async def test_no_secret_is_on_record_or_in_the_log(decided: House) -> None:
    exported = decided.server.manage("export_config")
    assert "secret: decisions" in exported
    assert SECRET not in exported
    assert SECRET not in decided.server.log
