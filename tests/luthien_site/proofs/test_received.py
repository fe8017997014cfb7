import json

import pytest

from gateway.upstreams.demo.provider import reply
from luthien_site.bench.workload import Dialect
from luthien_site.proofs.received import ReceivedTool, read_stream, read_whole

SCRIPT = 'say Hello there\ntool run {"command": "make"}\ntool read {"path": "README"}'
PATHS: dict[Dialect, str] = {"openai": "/chat/completions", "anthropic": "/messages"}


def answer(dialect: Dialect, *, stream: bool) -> list[bytes]:
    body = {
        "model": "demo/script",
        "stream": stream,
        "messages": [{"role": "user", "content": SCRIPT}],
        "max_tokens": 9,
    }
    parts = reply("POST", PATHS[dialect], [], json.dumps(body).encode()).parts
    return [part for part in parts if isinstance(part, bytes)]


@pytest.mark.parametrize("dialect", ["openai", "anthropic"])
@pytest.mark.parametrize("stream", [True, False])
def test_a_whole_answer_is_complete_with_all_its_tool_calls(dialect: Dialect, stream: bool) -> None:
    body = b"".join(answer(dialect, stream=stream))
    received = read_stream(dialect, body) if stream else read_whole(dialect, body)
    assert received.complete
    assert [(tool.name, json.loads(tool.arguments)) for tool in received.tools] == [
        ("run", {"command": "make"}),
        ("read", {"path": "README"}),
    ]
    assert len({tool.id for tool in received.tools}) == 2


@pytest.mark.parametrize("dialect", ["openai", "anthropic"])
def test_a_torn_answer_holds_what_its_client_may_act_on_and_never_more(dialect: Dialect) -> None:
    body = b"".join(answer(dialect, stream=True))
    whole = read_stream(dialect, body).tools
    seen: list[list[ReceivedTool]] = []
    for cut in range(len(body)):
        received = read_stream(dialect, body[:cut])
        assert received.tools == whole[: len(received.tools)]
        if received.tools not in seen:
            seen.append(received.tools)
    assert seen == [[], whole[:1], whole]


@pytest.mark.parametrize(("dialect", "end"), [("openai", b"[DONE]"), ("anthropic", b'"message_stop"}')])
def test_without_its_end_an_answer_is_not_complete(dialect: Dialect, end: bytes) -> None:
    body = b"".join(answer(dialect, stream=True))
    assert not read_stream(dialect, body[: body.rindex(end)]).complete
