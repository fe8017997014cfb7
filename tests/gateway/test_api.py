"""The wire of `/v1` as clients and providers enforce it, against a real server."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

import brotli
import httpx
import pytest
import zstandard

from tests.gateway.running import (
    ANTHROPIC,
    CHAT,
    EVENT_STREAM,
    JSON,
    PROVIDER_SECRET,
    START,
    STOP,
    Dialect,
    Exchange,
    House,
    ask,
    both_dialects,
    client,
    frame,
    message,
    patient,
    provider,
    secret,
    streamed_and_not,
    text,
)

ODD_STREAM = (
    START
    + frame({"type": "ping"})
    + b'event: news_of_tomorrow\ndata: {"type" : "news_of_tomorrow",  "x": 1}\n\n'
    + b": a comment\n\n"
    + text(0, "Grüße ", "世界")
    + STOP
)
ODD_BODY = b'{ "content" : [ ],\n "type":"message", "id":"x", "later": {"a":[1e400, 1.0]} }'


@pytest.mark.parametrize("key", ["plain", "holds"])
async def test_a_stream_that_nothing_changed_keeps_its_bytes(house: House, key: str) -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.answer(ODD_STREAM, EVENT_STREAM, ("anthropic-organization-id", "org"), ("x-new", "1"))

    async with provider(house, answer):
        got = await ask(house, key, ANTHROPIC, "x", model="odd/first", stream=True)
    assert got.content == ODD_STREAM
    assert (got.headers["anthropic-organization-id"], got.headers["x-new"]) == ("org", "1")


async def test_a_request_that_nothing_changed_keeps_its_bytes_its_query_and_its_headers(house: House) -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.answer(ODD_BODY, JSON)

    body = b'{ "model":"odd/first" ,"messages":[{"role":"user","content":"\\u00e9\\/"}], "new": [1.0, 1e3] }'
    headers = {
        "anthropic-version": "2026-10-21",
        "anthropic-beta": "one-of-tomorrow,another",
        "x-stainless-lang": "python",
        "x-app": "cli",
        "x-claude-code-session-id": "abc",
        "user-agent": "an agent/1.0",
        "x-names": "Ünicode",
    }
    async with provider(house, answer) as asked, client(house) as made:
        got = await made.post("/v1/messages?beta=true&x=%2Fa+b", content=body, headers=[
            (name.encode(), value.encode()) for name, value in headers.items()
        ])  # fmt: skip
    (exchange,) = asked.exchanges
    assert got.content == ODD_BODY
    assert exchange.body == body
    assert exchange.path == "/v1/messages?beta=true&x=%2Fa+b"
    for name, value in headers.items():
        assert exchange.header(name) == [value.encode().decode("latin-1")]


async def test_an_agents_long_conversation_keeps_its_bytes(house: House) -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.answer(ODD_BODY, JSON)

    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": 'if (a[0], {"b"}) \\n' * 300}
    body = json.dumps({"model": "odd/first", "messages": [{"role": "user", "content": [result]}] * 700}).encode()
    async with provider(house, answer) as asked, client(house, "adds") as made, client(house) as plain:
        changed = await made.post("/v1/messages", content=body)
        assert (await plain.post("/v1/messages", content=body)).content == ODD_BODY
        bomb = await plain.post(
            "/v1/messages", content=b'{"model":"odd/first","messages":[' + b"[]," * 999_999 + b"1]}"
        )
    assert changed.content == ODD_BODY
    assert asked.exchanges[0].body != asked.exchanges[1].body == body
    assert (bomb.status_code, "values" in bomb.json()["error"]["message"]) == (400, True)


@pytest.mark.parametrize("given", ["x-api-key", "authorization"])
@both_dialects
async def test_the_providers_credential_goes_on_alone(house: House, dialect: Dialect, given: str) -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.answer(b"{}", JSON)

    credential = {given: secret("plain") if given == "x-api-key" else f"Bearer {secret('plain')}"}
    hidden = {"cookie": "session=1", "connection": "x-hop", "x-hop": "1", "x-forwarded-for": "10.0.0.1", "te": "x"}
    async with provider(house, answer) as asked, patient(base_url=house.url) as made:
        await made.post(dialect.path, json=dialect.body("x", model=dialect.odd), headers={**credential, **hidden})
    (exchange,) = asked.exchanges
    sent = exchange.header("x-api-key") + exchange.header("authorization")
    assert sent == [PROVIDER_SECRET if dialect is ANTHROPIC else f"Bearer {PROVIDER_SECRET}"]
    assert secret("plain") not in str(exchange.headers) + exchange.body.decode()
    assert not {"cookie", "x-hop", "x-forwarded-for", "te"} & {name for name, _ in exchange.headers}
    assert exchange.header("accept-encoding") == ["identity"]
    assert exchange.header("host") == [f"127.0.0.1:{house.port}"]


async def test_an_answers_headers_come_back_but_not_its_transports(house: House) -> None:
    async def answer(exchange: Exchange) -> None:
        packed = gzip.compress(ODD_BODY)
        await exchange.answer(
            packed, JSON, ("content-encoding", "gzip"), ("set-cookie", "a=b"), ("server", "theirs"),
            ("date", "Mon, 01 Jan 2001 00:00:00 GMT"), ("x-two", "1"), ("x-two", "2"), ("x-ratelimit-left", "7"),
        )  # fmt: skip

    async with provider(house, answer):
        got = await ask(house, "plain", ANTHROPIC, "x", model="odd/first")
    assert got.content == ODD_BODY
    assert not {"content-encoding", "set-cookie"} & set(got.headers)
    for name in ("date", "server", "content-length", "content-type", "x-luthien-call-id"):
        assert len(got.headers.get_list(name)) == 1, name
    assert "2001" not in got.headers["date"] and got.headers["server"] != "theirs"
    assert got.headers.get_list("x-two") == ["1", "2"]
    assert got.headers["x-ratelimit-left"] == "7"


@streamed_and_not
@pytest.mark.parametrize("status", [400, 401, 404, 413, 429, 500, 529])
async def test_an_error_body_comes_back_as_it_is_on_streams_too(house: House, status: int, stream: bool) -> None:
    body = b'{"type":"error", "odd" : null,"error":{"type":"x","message":"y"}}'

    async def answer(exchange: Exchange) -> None:
        await exchange.answer(body, JSON, ("retry-after", "17"), ("x-should-retry", "true"), status=status)

    async with provider(house, answer):
        got = await ask(house, "guarded", ANTHROPIC, "x", model="odd/first", stream=stream)
    assert (got.status_code, got.content) == (status, body)
    assert (got.headers["retry-after"], got.headers["x-should-retry"]) == ("17", "true")


async def test_an_error_page_of_a_proxy_comes_back_as_it_is(house: House) -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.answer(b"<html>Bad gateway</html>", ("content-type", "text/html"), status=502)

    async with provider(house, answer) as asked:
        got = await ask(house, "guarded", ANTHROPIC, "x", model="odd/first", stream=True)
    assert (got.status_code, got.content) == (502, b"<html>Bad gateway</html>")
    assert len(asked.exchanges) == 1, "the same upstream is never asked again on our own account"


@streamed_and_not
async def test_bytes_that_cannot_be_read_pass_where_nobody_judges_them_and_end_the_call_elsewhere(
    house: House, stream: bool
) -> None:
    garbled = b"data: {nonsense\n\n" if stream else b"{nonsense"

    async def answer(exchange: Exchange) -> None:
        await exchange.answer(START + garbled + STOP if stream else garbled, EVENT_STREAM if stream else JSON)

    async with provider(house, answer):
        free = await ask(house, "plain", ANTHROPIC, "x", model="odd/first", stream=stream)
        judged = await ask(house, "guarded", ANTHROPIC, "x", model="odd/first", stream=stream)
    assert garbled in free.content
    assert b"nonsense" not in judged.content
    assert b"api_error" in judged.content
    assert judged.status_code == (200 if stream else 502)


BAD: dict[str, bytes] = {
    "nothing": b"",
    "not JSON": b"{",
    "a list": b"[]",
    "a text": b'"x"',
    "no model": b'{"messages": [{"role": "user", "content": "x"}]}',
    "no messages": b'{"model": "demo/script"}',
    "a number for a model": b'{"model": 7, "messages": [{"role": "user", "content": "x"}]}',
    "a text for messages": b'{"model": "demo/script", "messages": "x"}',
    "a number among messages": b'{"model": "demo/script", "messages": [7]}',
    "a number for content": b'{"model": "demo/script", "messages": [{"role": "user", "content": 7}]}',
    "NaN": b'{"model": "demo/script", "messages": [], "temperature": NaN}',
    "a key twice": b'{"model": "demo/script", "model": "demo/echo", "messages": [{"role": "user", "content": "x"}]}',
    "a key twice, deeper": b'{"model": "m", "messages": [{"role": "user", "content": "x", "content": "y"}]}',
    "something behind the end": b'{"model": "demo/script", "messages": [{"role": "user", "content": "x"}]} {}',
    "no UTF-8": b'{"model": "demo/script", "messages": [{"role": "user", "content": "\xff"}]}',
    "a nesting bomb": b'{"model": "demo/script", "messages": ' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    "a text for a flag": b'{"model": "demo/script", "stream": "yes", "messages": [{"role": "user", "content": "x"}]}',
}


def is_error_of(dialect: Dialect, got: httpx.Response) -> bool:
    body: dict[str, Any] = got.json()
    assert got.headers["content-type"] == "application/json"
    assert "Traceback" not in got.text
    assert got.headers["x-luthien-call-id"].startswith("call_")
    assert "server-timing" in got.headers and "x-luthien-policies" in got.headers
    if dialect is ANTHROPIC:
        assert body["request_id"] == got.headers["x-luthien-call-id"]
        return set(body) == {"type", "error", "request_id"} and {"type", "message"} <= set(body["error"])
    return set(body) == {"error"} and set(body["error"]) == {"message", "type", "param", "code"}


@pytest.mark.parametrize("case", BAD)
@both_dialects
async def test_bad_input_is_told_in_the_dialect(house: House, dialect: Dialect, case: str) -> None:
    async with client(house) as made:
        got = await made.post(dialect.path, content=BAD[case])
    assert got.status_code == 400
    assert is_error_of(dialect, got)
    assert (await house.record(got.headers["x-luthien-call-id"]))["outcome"] == "refused"


PACKED: dict[str, Any] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.compress,
}


@pytest.mark.parametrize("encoding", PACKED)
async def test_a_packed_body_is_judged_and_sent_unpacked(house: House, encoding: str) -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.answer(message({"type": "text", "text": "ok"}), JSON)

    body = json.dumps(ANTHROPIC.body("say hi", model="odd/first")).encode()
    async with provider(house, answer) as asked, client(house) as made:
        headers = {"content-encoding": encoding}
        assert (await made.post("/v1/messages", content=PACKED[encoding](body), headers=headers)).status_code == 200
    (exchange,) = asked.exchanges
    assert exchange.body == body
    assert exchange.header("content-encoding") == []


@pytest.mark.parametrize(
    ("content", "encoding", "status"),
    [
        (b"x" * (33 << 20), "", 413),
        (gzip.compress(b" " * (33 << 20)), "gzip", 413),
        (b"not packed", "gzip", 400),
        (b"{}", "compress", 415),
    ],
    ids=["too large", "a bomb", "not what it says", "an encoding that nobody knows"],
)
@both_dialects
async def test_a_body_that_cannot_be_taken_in_is_refused(
    house: House, dialect: Dialect, content: bytes, encoding: str, status: int
) -> None:
    async with client(house) as made:
        headers = {"content-encoding": encoding} if encoding else {}
        got = await made.post(dialect.path, content=content, headers=headers)
    assert got.status_code == status
    assert is_error_of(dialect, got)


async def test_a_body_in_chunks_is_counted_while_it_comes(house: House) -> None:
    async def endless() -> Any:
        for _ in range(33):
            yield b"x" * (1 << 20)

    async with client(house) as made:
        got = await made.post("/v1/messages", content=endless())
    assert got.status_code == 413


@pytest.mark.parametrize(
    ("method", "path", "status", "dialect"),
    [
        ("GET", "/v1/messages", 405, ANTHROPIC),
        ("DELETE", "/v1/messages/count_tokens", 405, ANTHROPIC),
        ("GET", "/v1/chat/completions", 405, CHAT),
        ("POST", "/v1/models", 405, CHAT),
        ("POST", "/v1/messages/batches", 404, ANTHROPIC),
        ("POST", "/v1/images/generations", 404, CHAT),
        ("POST", "/v1/chat/completions/", 404, CHAT),
        ("GET", "/v1/", 404, CHAT),
        ("GET", "/v1", 404, CHAT),
        ("POST", "/v1//messages", 404, CHAT),
        ("GET", "/v1/%00", 404, CHAT),
    ],
)
async def test_what_is_not_served_is_told_in_the_dialect(
    house: House, method: str, path: str, status: int, dialect: Dialect
) -> None:
    async with client(house) as made:
        request = made.build_request(method, house.url, content=b"{}")
        request.url = httpx.URL(house.url).copy_with(raw_path=path.encode())
        got = await made.send(request)
    assert got.status_code == status
    assert is_error_of(dialect, got)


async def test_a_path_that_is_not_served_is_told_in_the_shape_that_the_client_speaks(house: House) -> None:
    async with client(house) as made:
        got = await made.get("/v1/elsewhere", headers={"anthropic-version": "2023-06-01"})
    assert got.status_code == 404 and is_error_of(ANTHROPIC, got)


@pytest.mark.parametrize("headers", [{}, {"x-api-key": "sk-wrong-key-of-somebody"}, {"authorization": "Bearer \xff"}])
@both_dialects
async def test_without_a_good_key_nobody_gets_anything(house: House, dialect: Dialect, headers: dict[str, str]) -> None:
    async with patient(base_url=house.url) as made:
        raw = {name: value.encode("latin-1") for name, value in headers.items()}
        got = await made.post(dialect.path, json=dialect.body("x"), headers=[(n.encode(), v) for n, v in raw.items()])
        assert got.status_code == 401 and is_error_of(dialect, got)
        assert (await made.get("/v1/models")).status_code == 401
    assert "sk-wrong" not in got.text and "sk-wrong" not in house.server.log


async def test_two_keys_of_ours_at_once_are_refused(house: House) -> None:
    async with client(house) as made:
        headers = {"authorization": f"Bearer {secret('loud')}"}
        got = await made.post("/v1/messages", json=ANTHROPIC.body("x"), headers=headers)
    assert got.status_code == 401


async def test_models_are_listed_in_the_shape_that_the_client_speaks(house: House) -> None:
    async with client(house) as made:
        theirs = (await made.get("/v1/models?limit=1000", headers={"anthropic-version": "2023-06-01"})).json()
        others = (await made.get("/v1/models")).json()
    assert {"data", "has_more", "first_id", "last_id"} == theirs.keys()
    assert others["object"] == "list"
    assert {"chat/script", "unreachable"} <= {model["id"] for model in others["data"]}
    assert [model["id"] for model in theirs["data"]] == [model["id"] for model in others["data"]]
    async with client(house, "reader") as made:
        assert (await made.get("/v1/models")).json()["data"] == []


async def test_clients_that_look_whether_anybody_is_there_get_an_empty_answer(house: House) -> None:
    async with patient(base_url=house.url) as made:
        for method, path in (("HEAD", "/"), ("HEAD", "/api/hello"), ("GET", "/api/hello")):
            got = await made.request(method, path)
            assert (got.status_code, got.content) == (200, b"")
        assert (await made.get("/")).status_code == 302  # the console needs a login


async def test_tokens_are_counted_under_the_same_request_policies(house: House) -> None:
    body = {"model": "demo/script", "messages": [{"role": "user", "content": "one two three"}]}
    for key, status in (("plain", 200), ("adds", 200), ("no-requests", 400), ("answered", 400), ("limited", 429)):
        async with client(house, key) as made:
            got = await made.post("/v1/messages/count_tokens", json=body)
        assert got.status_code == status, key
        record = await house.record(got.headers["x-luthien-call-id"])
        assert record["response"]["final"] == got.json()
        if key == "plain":
            assert got.json() == {"input_tokens": 3}
        if key == "adds":
            assert got.json() == {"input_tokens": 5}
        if status == 400:
            assert got.headers["x-should-retry"] == "false"
            assert (record["outcome"], record["attempts"]) == ("blocked", [])


async def test_a_thread_whose_history_lies_with_the_provider_is_not_found(house: House) -> None:
    got = await ask(house, "plain", ANTHROPIC, "x", thread={"type": "continue", "id": "t"})
    assert got.status_code == 404
    assert got.json()["error"]["details"]["error_code"] == "thread_not_found"


@streamed_and_not
@pytest.mark.parametrize(("dialect", "other"), [(ANTHROPIC, CHAT), (CHAT, ANTHROPIC)], ids=["anthropic", "chat"])
async def test_a_model_of_the_other_dialect_is_reached_by_translation(
    house: House, dialect: Dialect, other: Dialect, stream: bool
) -> None:
    got = await ask(
        house, "guarded", dialect, 'say I look.\ntool bash {"command": "rm -rf /"}', model=other.model, stream=stream
    )
    record = await house.record(got.headers["x-luthien-call-id"])
    assert got.status_code == 200 and "guarded-0" in got.text and "rm -rf" not in got.text
    assert (record["dialect"], record["upstream_dialect"]) == (dialect.name, other.name)
    assert record["outcome"] == "blocked"


async def test_tokens_are_guessed_where_the_provider_does_not_count_them(house: House) -> None:
    async with client(house) as made:
        body = {"model": "chat/script", "messages": [{"role": "user", "content": "one two three"}]}
        got = await made.post("/v1/messages/count_tokens", json=body)
    assert got.headers["x-luthien-estimate"] == "true"
    assert 4 <= got.json()["input_tokens"] <= 12


@streamed_and_not
async def test_every_choice_is_judged_as_its_own_answer(house: House, stream: bool) -> None:
    script = 'say Hm.\ntool bash {"command": "rm -rf /"}'
    got = await ask(house, "guarded", CHAT, script, stream=stream, n=2)
    assert got.text.count("guarded-0") == 2
    assert "tool_calls" not in got.text.replace('"finish_reason":"tool_calls"', "")
    assert got.text.count('"finish_reason":"stop"') == 2


@streamed_and_not
async def test_two_choices_that_nothing_changed_keep_their_bytes(house: House, stream: bool) -> None:
    body = CHAT.body("say Good day.", n=2, stream=stream, model="chat/script")
    if stream:
        body["stream_options"] = {"include_usage": True}
    async with patient() as made:
        direct = await made.post(f"{house.demo}/v1/chat/completions", json={**body, "model": "demo/script"})
    async with client(house, "holds") as made:
        got = await made.post("/v1/chat/completions", json=body)
    assert got.content == direct.content


async def test_health_is_told_without_a_key(house: House) -> None:
    async with patient(base_url=house.url) as made:
        assert (await made.get("/health")).json() == {"status": "alive"}
        ready = (await made.get("/ready")).json()
        assert ready.keys() == {"status", "revision"}
        assert ready["status"] == "ready"
        metrics = await made.get("/metrics")
    assert metrics.headers["content-type"].startswith("text/plain")
    for series in ("luthien_calls_total", "luthien_errors_total", "luthien_overhead_seconds", "luthien_record_lag"):
        assert series in metrics.text


async def test_an_error_is_counted_once(house: House) -> None:
    series = 'luthien_errors_total{dialect="anthropic",kind="not_found"}'
    before = await house.metric(series)
    await ask(house, "plain", ANTHROPIC, "x", model="nobody/serves")
    assert await house.metric(series) == before + 1
    async with client(house) as made:
        await made.get("/v1/messages/nothing")
    assert await house.metric(series) == before + 2
