"""The official openai SDK (Responses), straight at the provider and through the gateway: the same objects."""

from __future__ import annotations

import json
import socket
from typing import Any
from urllib.parse import urlsplit

import httpx
import openai
import pytest

from tests.clients.conftest import Gateway
from tests.clients.test_anthropic_sdk import CASES, PIXEL
from tests.clients.test_openai_sdk import both, client
from tests.gateway.running import DEADLINE

pytestmark = pytest.mark.client

TOOLS: Any = [
    {"type": "function", "name": "bash", "parameters": {"type": "object"}, "strict": False},
    {"type": "custom", "name": "apply_patch"},
]
UPGRADE = (
    "GET /v1/responses HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def ask(script: str, **more: Any) -> dict[str, Any]:
    return {"input": script, "tools": TOOLS, **more}


@pytest.mark.parametrize("case", CASES)
def test_an_answer_is_the_providers_own(gateway: Gateway, case: str) -> None:
    direct, through = (c.responses.create(model=model, **ask(CASES[case])) for c, model in both(gateway))
    assert through == direct


@pytest.mark.parametrize("case", CASES)
def test_the_bytes_of_a_stream_are_the_providers_own(gateway: Gateway, case: str) -> None:
    raw = []
    for c, model in both(gateway):
        body = json.dumps({**ask(CASES[case]), "model": model, "stream": True})
        headers = {"authorization": f"Bearer {c.api_key}"}
        raw.append(httpx.post(f"{c.base_url}responses", content=body, headers=headers, timeout=DEADLINE).content)
    assert raw[0] == raw[1]


@pytest.mark.parametrize("case", CASES)
def test_streamed_and_whole_say_the_same_under_policies(gateway: Gateway, case: str) -> None:
    loud = client(gateway.url, gateway.key("loud"))
    whole = loud.responses.create(model="chat/script", **ask(CASES[case]))
    with loud.responses.stream(model="chat/script", **ask(CASES[case])) as stream:
        events, streamed = list(stream), stream.get_final_response()
    done = [event.item.to_dict() for event in events if event.type == "response.output_item.done"]
    # The demo provider's ids are made of the request, which says whether it streams.
    assert [{**item, "id": ""} for item in done] == [{**item.to_dict(), "id": ""} for item in whole.output]
    assert [event.sequence_number for event in events] == sorted({event.sequence_number for event in events})
    assert streamed.output_text == whole.output_text == whole.output_text.upper()


@pytest.mark.parametrize("stream", [False, True])
def test_a_blocked_tool_call_becomes_a_message_before_those_that_stay(gateway: Gateway, stream: bool) -> None:
    guarded = client(gateway.url, gateway.key("guarded"))
    script = 'say I clean up.\ntool bash {"command": "rm -rf /"}\ntool bash {"command": "ls"}'
    if stream:
        with guarded.responses.stream(model="chat/script", **ask(script)) as told:
            response: Any = list(told) and told.get_final_response()
    else:
        response = guarded.responses.create(model="chat/script", **ask(script))
    assert [item.type for item in response.output] == ["message", "message", "function_call"]
    assert "no-dangerous-commands" in response.output[1].content[0].text
    assert response.output[2].arguments == '{"command": "ls"}'
    assert "rm -rf" not in response.model_dump_json()


def test_a_conversation_goes_on_over_its_own_items(gateway: Gateway) -> None:
    c = client(gateway.url, gateway.key("guarded"))
    script = 'think Hm.\ntool bash {"command": "ls"}\nsay Done.'
    history: list[Any] = [{"role": "user", "content": script}]
    history += c.responses.create(model="chat/script", input=history, tools=TOOLS).output
    history.append({"type": "function_call_output", "call_id": history[-1].call_id, "output": "a.txt"})
    assert c.responses.create(model="chat/script", input=history, tools=TOOLS).output_text == "Done."


def test_images_reach_the_provider(gateway: Gateway) -> None:
    image = {"type": "input_image", "image_url": f"data:image/png;base64,{PIXEL}", "detail": "auto"}
    items: Any = [{"role": "user", "content": [image, {"type": "input_text", "text": "say A picture."}]}]
    direct, through = (c.responses.create(model=model, input=items) for c, model in both(gateway))
    assert through == direct


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("status", [400, 404, 429, 500])
def test_an_error_of_the_provider_stays_what_it_was(gateway: Gateway, status: int, stream: bool) -> None:
    raised = []
    for c, model in both(gateway):
        with pytest.raises(openai.APIStatusError) as caught:
            c.responses.create(model=model, stream=stream, **ask(f"error {status}"))
        raised.append((caught.value.status_code, caught.value.body, caught.value.response.headers.get("retry-after")))
    assert raised[0] == raised[1]
    assert raised[0][0] == status


@pytest.mark.parametrize("directive", ["fail", "cut"])
def test_a_failure_in_mid_stream_is_never_a_completed_response(gateway: Gateway, directive: str) -> None:
    stream = client(gateway.url, gateway.key("loud")).responses.create(
        model="chat/script", stream=True, **ask(f"say before\n{directive}\nsay after")
    )
    types = []
    try:
        types += [event.type for event in stream]
    except openai.APIError:
        types.append("error")
    assert types[-1] == "error" and "response.completed" not in types


@pytest.mark.parametrize(
    "hidden", [{"previous_response_id": "resp_1"}, {"background": True}, {"prompt": {"id": "pmpt_1"}}]
)
def test_a_history_that_only_the_provider_has_is_refused_by_its_name(gateway: Gateway, hidden: Any) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client(gateway.url, gateway.key()).responses.create(model="chat/script", **ask("say hi"), **hidden)
    assert caught.value.param == next(iter(hidden))


def test_other_paths_of_responses_are_refused(gateway: Gateway) -> None:
    with pytest.raises(openai.NotFoundError):
        client(gateway.url, gateway.key()).responses.retrieve("resp_1")


def test_an_upgrade_to_a_websocket_is_answered_that_http_is_wanted(gateway: Gateway) -> None:
    address = urlsplit(gateway.url)
    with socket.create_connection((address.hostname, address.port), timeout=DEADLINE) as sock:
        sock.sendall(UPGRADE.format(host=address.netloc).encode())
        answer = sock.recv(4096)
    assert answer.startswith(b"HTTP/1.1 426 ")
    assert b"invalid_request_error" in answer
