"""A running house for the tests of the path of a call: a real server, the demo provider, and a provider of the test's.

Every policy of POLICIES is in force for the key of its name, and for no other.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from gateway.calls import Head
from tests.clients.conftest import demo_provider
from tests.plugins.live import LiveLuthien, end, migrated
from tests.plugins.servers import free_port
from tests.plugins.services import DATABASE, drop_database

INSTALLED = Path(__file__).parent / "installed"
DEADLINE = 60.0
IMPORT_DEADLINE = 120.0
"""For what waits until the server has imported litellm."""
PROVIDER_SECRET = "sk-of-the-provider-itself"

Json = dict[str, Any]


def puppet(hook: str, does: str, argument: str = "", **terms: Any) -> Json:
    return {"policy": "puppet", "config": {"hook": hook, "does": does, "argument": argument}, **terms}


def filtering(action: str, *places: str) -> Json:
    """A policy that looks for hydras, and keeps what it changes off the record."""
    config = {"terms": ["hydra"], "action": action, "places": list(places)}
    return {"policy": "content_filter", "config": config, "record": "redacted"}


POLICIES: dict[str, list[Json]] = {
    "loud": [{"policy": "uppercase"}],
    "linked": [{"policy": "conversation_link", "config": {"text": "See {link}"}}],
    "guarded": [{"policy": "block_dangerous_commands"}],
    "redacted": [
        {"policy": "secrets", "config": {"places": ["user", "system", "tool_results", "tool_definitions", "text"]}},
        {"policy": "pii"},
        {"policy": "content_filter", "config": {"terms": ["hydra"], "places": ["user", "tool_results"]}},
    ],
    "withheld": [filtering("redact", "user")],
    "withheld-answers": [filtering("redact", "text")],
    "withheld-blocks": [filtering("block", "user", "text")],
    "withheld-in-shadow": [filtering("redact", "user", "text") | {"mode": "shadow"}],
    "shadowed": [{"policy": "uppercase", "mode": "shadow"}, puppet("on_request", "block", mode="shadow")],
    "no-requests": [puppet("on_request", "block")],
    "answered": [puppet("on_request", "respond", "A policy says hello.")],
    "limited": [puppet("on_request", "refuse")],
    "spent": [puppet("on_request", "refuse for good")],
    "adds": [puppet("on_request", "add", " and more")],
    "no-text": [puppet("on_text", "block")],
    "stopped": [puppet("on_text", "stop")],
    "no-answers": [puppet("on_answer", "block")],
    "holds": [puppet("on_text", "wait", "0.05")],
    "rerouted": [
        puppet("on_request", "reroute", "odd/other"),
        {"policy": "uppercase", "scope": {"models": ["odd/o*"]}},
    ],
    "rerouted-to-no": [
        puppet("on_request", "reroute", "odd/other"),
        puppet("on_request", "block", scope={"models": ["odd/other"]}),
    ],
    "fallen-back": [
        {"policy": "uppercase", "scope": {"models": ["odd/second"]}},
        puppet("on_request", "block", scope={"models": ["odd/third"]}),
    ],
    "retried": [puppet("on_answer", "retry once", "odd/other")],
    "retried-for-ever": [puppet("on_answer", "retry", "odd/other")],
    "raises": [puppet("on_text", "raise")],
    "raises-open": [puppet("on_text", "raise", on_failure="open")],
    "raises-live": [puppet("on_text_delta", "raise")],
    "raises-on-events": [puppet("on_event", "raise")],
    "raises-on-finish": [puppet("on_finish", "raise")],
    "raises-at-the-end": [puppet("on_end", "raise")],
    "hangs": [puppet("on_tool_call", "hang", deadline=0.1)],
    "hangs-on-requests": [puppet("on_request", "hang", deadline=0.1)],
    "judged": [{"policy": "asks_a_judge", "config": {"model": "chat/script"}}],
    "judged-by-claude": [{"policy": "asks_a_judge", "config": {"model": "demo/script"}}],
    "judged-by-nobody": [{"policy": "asks_a_judge", "config": {"model": "nobody"}}],
    "judged-by-itself": [{"policy": "asks_a_judge", "config": {"model": "oddchat/judge"}}],
    "judged-in-shadow": [{"policy": "asks_a_judge", "config": {"model": "chat/script"}, "mode": "shadow"}],
    "judged-in-haste": [{"policy": "asks_a_judge", "config": {"model": "oddchat/judge", "deadline": 0.1}}],
    "tools-judged": [{"policy": "tool_call_judge", "config": {"model": "oddchat/judge"}}],
    "tools-judged-open": [
        {"policy": "tool_call_judge", "config": {"model": "oddchat/judge", "deadline": 0.1}, "on_failure": "open"}
    ],
    "ruled": [
        {
            "policy": "plain_english_rules",
            "config": {"model": "oddchat/judge", "rules": ["Be kind."], "applies_to": ["texts", "requests"]},
        }
    ],
    "rate-limited": [{"policy": "rate_limit", "config": {"requests": 2, "per": "hour", "by": ["session"]}}],
    "rate-limited-in-shadow": [
        {"policy": "rate_limit", "config": {"requests": 0, "per": "hour"}, "mode": "shadow"},
        {"policy": "rate_limit", "config": {"requests": 1, "per": "hour", "by": ["session"]}, "order": 1},
    ],
    "tokens-limited": [
        {"policy": "rate_limit", "config": {"tokens": 2000, "per": "hour", "by": ["session"], "answer_tokens": 900}}
    ],
    "broke": [{"policy": "budget", "config": {"dollars": 0}}],
    "budgeted": [{"policy": "budget", "config": {"dollars": 0.05, "per": "day", "warn_at": 0.5}}],
    "short": [{"policy": "token_limits", "config": {"max_request": 100, "max_answer": 50}}],
    "narrow": [{"policy": "model_access", "config": {"allow": [{"models": ["demo/*", "chat/script"]}]}}],
    "kept-to-the-third": [{"policy": "model_access", "config": {"allow": [{"models": ["falls/*", "odd/third"]}]}}],
    "kept-from-a-detour": [
        {"policy": "model_access", "config": {"allow": [{"models": ["odd/first"]}]}},
        puppet("on_request", "reroute", "odd/other"),
    ],
    "kept-from-another-answer": [
        {"policy": "model_access", "config": {"allow": [{"models": ["odd/first"]}]}},
        puppet("on_answer", "retry once", "odd/other"),
    ],
    "detoured": [{"policy": "reroute", "config": {"rules": [{"models": ["odd/first"], "to": "odd/other"}]}}],
    "rubbish": [puppet("on_tool_call", "rubbish")],
    "rubbish-on-answers": [puppet("on_answer", "rubbish")],
}


def secret(key: str) -> str:
    return f"secret-of-the-key-{key}"


@dataclass
class House:
    """`port` is where the server looks for a provider of the test's own; see `provider`."""

    server: LiveLuthien
    demo: str
    port: int
    config: Json

    @property
    def url(self) -> str:
        return self.server.url

    def apply(self, **sections: Any) -> None:
        """Puts sections of the configuration in force; what they lack of the house's goes out of force."""
        path = self.server.data_dir / "changed.yaml"
        path.write_text(yaml.safe_dump(sections))
        self.server.apply_config(path)

    async def record(self, call_id: str) -> Json:
        """What the debug API tells of a call, once it is closed."""
        async with patient(headers={"x-api-key": secret("reader")}) as client:

            async def closed() -> Json | None:
                try:
                    response = await client.get(f"{self.url}/debug/calls/{call_id}")
                except httpx.TransportError:
                    return None
                record: Json = response.json() if response.status_code == 200 else {"outcome": "open"}
                return record if record["outcome"] != "open" else None

            record: Json = await eventually(closed)
        return record

    async def newest(self, model: str) -> Json:
        """The newest call for a model that no other test of the house asks for, once it is closed."""
        async with patient(headers={"x-api-key": secret("reader")}) as client:

            async def known() -> str | None:
                calls = (await client.get(f"{self.url}/debug/calls?model={model}&limit=1")).json()["calls"]
                return calls[0]["id"] if calls else None

            return await self.record(await eventually(known))

    async def metric(self, series: str) -> float:
        """The value of a series at `/metrics`, 0 where it has none yet."""
        async with patient() as client:
            lines = (await client.get(f"{self.url}/metrics")).text.splitlines()
        return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{series} ")), 0.0)


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One for the whole run: a test that changes what is in force puts it back."""
    with built(tmp_path_factory, os.environ[DATABASE]) as made:
        yield made


@contextmanager
def built(folders: pytest.TempPathFactory, database: str, **env: str) -> Iterator[House]:
    """A house of its own, on "postgres" or "sqlite", with these variables."""
    folder = folders.mktemp("house")
    folder.chmod(0o700)
    url = migrated(database, folder)
    try:
        with demo_provider(folder) as demo:
            server = LiveLuthien(folder, {"DATABASE_URL": url, "REDIS_URL": "", "PYTHONPATH": str(INSTALLED), **env})
            made = furnish(server, demo)
            try:
                server.start()
                yield made
            finally:
                end(server)
    finally:
        if url.startswith("postgres"):
            drop_database(url)


def furnish(server: LiveLuthien, demo: str) -> House:
    """Puts the house's configuration in force for a server that has not started yet, or has."""
    port = free_port()
    config = configuration(demo, port)
    made = House(server, demo, port, config)
    made.apply(**config)
    return made


def configuration(demo: str, port: int) -> Json:
    test = f"http://127.0.0.1:{port}"
    return {
        "providers": {
            "anthropic": {"dialect": "anthropic", "base_url": demo, "api_key": PROVIDER_SECRET},
            "openai": {"dialect": "openai", "base_url": f"{demo}/v1", "api_key": PROVIDER_SECRET},
            "hasty": {
                **{"dialect": "anthropic", "base_url": demo, "api_key": PROVIDER_SECRET},
                "idle_timeout": 0.3,
            },
            "unbegun": {
                **{"dialect": "anthropic", "base_url": demo, "api_key": PROVIDER_SECRET},
                "first_byte_timeout": 0.3,
            },
            "odd": {"dialect": "anthropic", "base_url": test, "api_key": PROVIDER_SECRET, "passthrough": True},
            "odd-hasty": {
                **{"dialect": "anthropic", "base_url": test, "api_key": PROVIDER_SECRET},
                "first_byte_timeout": 0.3,
            },
            "odd-chat": {
                **{"dialect": "openai", "base_url": f"{test}/v1", "api_key": PROVIDER_SECRET},
                "passthrough": True,
            },
            "nowhere": {"dialect": "anthropic", "base_url": "http://127.0.0.1:9", "api_key": PROVIDER_SECRET},
        },
        "models": [
            {"match": "demo/*", "provider": "anthropic"},
            {"match": "chat/script", "provider": "openai", "model": "demo/script"},
            {"match": "embed", "provider": "openai", "model": "demo/embed"},
            {"match": "odd-embed", "provider": "odd-chat"},
            {"match": "hasty/script", "provider": "hasty", "model": "demo/script"},
            {"match": "unbegun/script", "provider": "unbegun", "model": "demo/script"},
            {"match": "odd/*", "provider": "odd"},
            {"match": "oddchat/*", "provider": "odd-chat"},
            {"match": "priced", "provider": "odd", "model": "claude-haiku-4-5"},
            {"match": "unreachable", "provider": "nowhere"},
            *fallen_back(),
        ],
        "keys": [
            {"name": "plain", "key": secret("plain"), "team": "payments"},
            {"name": "reader", "key": secret("reader"), "read": True},
            {"name": "research-reader", "key": secret("research-reader"), "team": "research", "read": True},
            *({"name": name, "key": secret(name)} for name in POLICIES),
        ],
        "policies": [
            {"name": f"{key}-{place}", "order": place, **policy, "scope": {**policy.get("scope", {}), "keys": [key]}}
            for key, policies in POLICIES.items()
            for place, policy in enumerate(policies)
        ],
    }


def fallen_back() -> list[Json]:
    """Routes that name others to ask; the test's provider is asked for `first`, then for `second` and `third`."""
    others = [{"provider": "odd", "model": "odd/second"}, {"provider": "odd", "model": "odd/third"}]
    chat = [{"provider": "odd-chat", "model": "oddchat/second"}, {"provider": "odd-chat", "model": "oddchat/third"}]
    return [
        {"match": "falls/odd", "provider": "odd", "model": "odd/first", "fallback": others},
        {"match": "falls/oddchat", "provider": "odd-chat", "model": "oddchat/first", "fallback": chat},
        {"match": "falls/far", "provider": "odd", "model": "odd/first", "fallback": chat},
        {"match": "falls/near", "provider": "odd-chat", "model": "oddchat/first", "fallback": others},
        {"match": "falls/unreachable", "provider": "nowhere", "fallback": others},
        {"match": "falls/silent", "provider": "odd-hasty", "model": "odd/silent", "fallback": others},
    ]


@dataclass
class Dialect:
    """How the tests speak one dialect."""

    name: str
    path: str
    model: str
    odd: str
    falls: str

    def body(self, script: str, **more: Any) -> Json:
        return {"model": self.model, "max_tokens": 900, "messages": [{"role": "user", "content": script}]} | more


ANTHROPIC = Dialect("anthropic", "/v1/messages", "demo/script", "odd/first", "falls/odd")
CHAT = Dialect("openai_chat", "/v1/chat/completions", "chat/script", "oddchat/first", "falls/oddchat")
both_dialects = pytest.mark.parametrize("dialect", [ANTHROPIC, CHAT], ids=lambda dialect: dialect.name)
streamed_and_not = pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])


@asynccontextmanager
async def client(house: House, key: str = "plain", **how: Any) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"x-api-key": secret(key)}
    async with patient(base_url=house.url, headers=headers, **how) as made:
        yield made


def patient(**how: Any) -> httpx.AsyncClient:
    """Waits for a slow machine, where httpx alone gives up after 5 seconds."""
    return httpx.AsyncClient(timeout=DEADLINE, **how)


async def ask(house: House, key: str, dialect: Dialect, script: str, **more: Any) -> httpx.Response:
    """One call, read to its end however that comes."""
    async with client(house, key) as made, made.stream("POST", dialect.path, json=dialect.body(script, **more)) as got:
        with suppress(httpx.RemoteProtocolError):
            await got.aread()
        return got


async def eventually(probe: Callable[[], Awaitable[Any]], seconds: float = DEADLINE) -> Any:
    """The first answer of `probe` that is true."""
    deadline = time.monotonic() + seconds
    while not (found := await probe()):
        assert time.monotonic() < deadline, "it did not come to pass"
        await asyncio.sleep(0.02)
    return found


@dataclass
class Exchange:
    """A request that has come to the test's provider, and the connection to answer on."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes
    _reader: asyncio.StreamReader
    _writer: asyncio.StreamWriter

    def header(self, name: str) -> list[str]:
        return [value for each, value in self.headers if each == name]

    async def head(self, status: int, *headers: tuple[str, str]) -> None:
        """The head of an answer in chunks."""
        lines = [f"HTTP/1.1 {status} Status", *(f"{name}: {value}" for name, value in headers)]
        lines += ["transfer-encoding: chunked", "connection: close", "", ""]
        await self.raw("\r\n".join(lines).encode())

    async def send(self, data: bytes) -> None:
        await self.raw(b"%x\r\n%b\r\n" % (len(data), data))

    async def end(self) -> None:
        await self.raw(b"0\r\n\r\n")

    async def raw(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def answer(self, body: bytes, *headers: tuple[str, str], status: int = 200) -> None:
        await self.head(status, *headers)
        if body:
            await self.send(body)
        await self.end()

    async def gone(self) -> None:
        """Returns once the gateway has closed the connection."""
        with suppress(ConnectionError):
            while await self._reader.read(1000):
                pass


@dataclass
class Provider:
    """What has been asked of the test's provider so far."""

    exchanges: list[Exchange] = field(default_factory=list)


@asynccontextmanager
async def provider(house: House, handle: Callable[[Exchange], Awaitable[None]]) -> AsyncIterator[Provider]:
    """Serves what the house routes as `odd/*` and `oddchat/*`, by `handle`; the connection closes behind it."""
    asked = Provider()
    failures: list[Exception] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            exchange = await _read(reader, writer)
            asked.exchanges.append(exchange)
            await handle(exchange)
        except ConnectionError:
            pass
        except Exception as error:
            failures.append(error)
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", house.port)
    try:
        yield asked
    finally:
        server.close()
    assert not failures, failures


async def _read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Exchange:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = head[0].split(" ")
    headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in head[1:] if line)]
    length = int(dict(headers).get("content-length", "0"))
    return Exchange(method, path, headers, await reader.readexactly(length), reader, writer)


def frame(event: Mapping[str, Any]) -> bytes:
    """A frame of Anthropic's stream."""
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


USAGE = {"input_tokens": 12, "output_tokens": 5, "cache_read_input_tokens": 3, "cache_creation_input_tokens": 4}
_MESSAGE = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_reason": None, "usage": USAGE}
START = frame({"type": "message_start", "message": {**_MESSAGE, "content": []}})
STOP = frame({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}}) + frame(
    {"type": "message_stop"}
)
EVENT_STREAM = ("content-type", "text/event-stream; charset=utf-8")
JSON = ("content-type", "application/json")


def block(index: int, content: Json, *deltas: Json) -> bytes:
    """A content block of Anthropic's stream."""
    made = [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
    start = {"type": "content_block_start", "index": index, "content_block": content}
    return b"".join(frame(event) for event in (start, *made, {"type": "content_block_stop", "index": index}))


def text(index: int, *words: str) -> bytes:
    return block(index, {"type": "text", "text": ""}, *({"type": "text_delta", "text": word} for word in words))


def tool(index: int, name: str, arguments: Json) -> bytes:
    use = {"type": "tool_use", "id": f"toolu_{index}", "name": name, "input": {}}
    return block(index, use, {"type": "input_json_delta", "partial_json": json.dumps(arguments)})


def message(*content: Json) -> bytes:
    """A whole answer in Anthropic's dialect."""
    return json.dumps({**_MESSAGE, "content": list(content), "stop_reason": "end_turn"}).encode()


class Sent:
    """A client that takes everything."""

    def __init__(self) -> None:
        self.pieces: list[Head | bytes] = []

    async def begin(self, head: Head) -> None:
        self.pieces.append(head)

    async def send(self, body: bytes) -> None:
        self.pieces.append(body)


class Collected:
    """A record's writer that only collects what it is given."""

    boot_id = "boot"
    healthy = True

    def __init__(self) -> None:
        self.entries: list[Any] = []

    def admit(self, opening: Any) -> None:
        """All may begin."""

    def submit(self, entry: Any) -> None:
        self.entries.append(entry)
