"""The official openai SDK (Chat Completions), straight at the provider and through the gateway: the same objects."""

from __future__ import annotations

import json
from typing import Any

import httpx
import openai
import pytest

from tests.clients.conftest import Gateway
from tests.clients.test_anthropic_sdk import CASES, PIXEL
from tests.gateway.running import DEADLINE

pytestmark = pytest.mark.client

TOOLS: Any = [{"type": "function", "function": {"name": "bash", "parameters": {"type": "object"}}}]


def client(url: str, key: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0)


def ask(script: str, **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": script}], "tools": TOOLS, **more}


def both(gateway: Gateway) -> list[tuple[openai.OpenAI, str]]:
    return [
        (client(gateway.provider, "any"), "demo/script"),
        (client(gateway.url, gateway.key()), "chat/script"),
    ]


@pytest.mark.parametrize("case", CASES)
def test_an_answer_is_the_providers_own(gateway: Gateway, case: str) -> None:
    direct, through = (c.chat.completions.create(model=model, **ask(CASES[case])) for c, model in both(gateway))
    assert through == direct


@pytest.mark.parametrize("include_usage", [True, False])
@pytest.mark.parametrize("case", CASES)
def test_a_stream_is_the_providers_own_chunk_by_chunk(gateway: Gateway, case: str, include_usage: bool) -> None:
    options: Any = {"stream_options": {"include_usage": True}} if include_usage else {}
    direct, through = (
        list(c.chat.completions.create(model=model, stream=True, **ask(CASES[case], **options)))
        for c, model in both(gateway)
    )
    assert through == direct
    assert any(chunk.usage is not None for chunk in through) == include_usage


@pytest.mark.parametrize("case", CASES)
def test_the_bytes_of_a_stream_are_the_providers_own(gateway: Gateway, case: str) -> None:
    raw = []
    for url, key, model in (
        (gateway.provider, "any", "demo/script"),
        (gateway.url, gateway.key(), "chat/script"),
    ):
        body = json.dumps(
            {**ask(CASES[case]), "model": model, "stream": True, "stream_options": {"include_usage": True}}
        )
        headers = {"authorization": f"Bearer {key}"}
        raw.append(httpx.post(f"{url}/v1/chat/completions", content=body, headers=headers, timeout=DEADLINE).content)
    assert raw[0] == raw[1]


@pytest.mark.parametrize("case", CASES)
def test_streamed_and_whole_say_the_same_under_policies(gateway: Gateway, case: str) -> None:
    loud = client(gateway.url, gateway.key("loud"))
    whole = loud.chat.completions.create(model="chat/script", **ask(CASES[case])).choices[0]
    text, calls, reason = "", dict[int, list[str]](), ""
    for chunk in loud.chat.completions.create(model="chat/script", stream=True, **ask(CASES[case])):
        delta = chunk.choices[0].delta
        text += delta.content or ""
        for call in delta.tool_calls or ():
            assert call.function is not None
            known = calls.setdefault(call.index, [call.id or "", call.function.name or "", ""])
            known[2] += call.function.arguments or ""
        reason = chunk.choices[0].finish_reason or reason
    assert text == (whole.message.content or "")
    assert reason == whole.finish_reason
    expected = [
        [call.id, call.function.name, call.function.arguments]
        for call in whole.message.tool_calls or ()
        if call.type == "function"
    ]
    assert list(calls.values()) == expected
    assert text == text.upper()


@pytest.mark.parametrize("stream", [False, True])
def test_a_blocked_tool_call_becomes_text(gateway: Gateway, stream: bool) -> None:
    guarded = client(gateway.url, gateway.key("guarded"))
    script = 'say I clean up.\ntool bash {"command": "rm -rf /"}'
    if stream:
        chunks = list(guarded.chat.completions.create(model="chat/script", stream=True, **ask(script)))
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
        reasons = [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices[0].finish_reason]
        assert not any(chunk.choices[0].delta.tool_calls for chunk in chunks)
    else:
        choice = guarded.chat.completions.create(model="chat/script", **ask(script)).choices[0]
        text, reasons = choice.message.content or "", [choice.finish_reason]
        assert not choice.message.tool_calls
    assert "no-dangerous-commands" in text and "rm -rf" not in text
    assert reasons == ["stop"]


def test_images_reach_the_provider(gateway: Gateway) -> None:
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}
    messages: Any = [{"role": "user", "content": [image, {"type": "text", "text": "say A picture."}]}]
    direct, through = (c.chat.completions.create(model=model, messages=messages) for c, model in both(gateway))
    assert through == direct


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 503])
def test_an_error_of_the_provider_stays_what_it_was(gateway: Gateway, status: int, stream: bool) -> None:
    raised = []
    for c, model in both(gateway):
        with pytest.raises(openai.APIStatusError) as caught:
            c.chat.completions.create(model=model, stream=stream, **ask(f"error {status}"))
        raised.append((caught.value.status_code, caught.value.body, caught.value.response.headers.get("retry-after")))
    assert raised[0] == raised[1]
    assert raised[0][0] == status


@pytest.mark.parametrize("directive", ["fail", "cut"])
def test_a_failure_in_mid_stream_is_an_error_without_done(gateway: Gateway, directive: str) -> None:
    with pytest.raises(openai.APIError):
        list(
            client(gateway.url, gateway.key("loud")).chat.completions.create(
                model="chat/script", stream=True, **ask(f"say before\n{directive}\nsay after")
            )
        )


def test_a_wrong_key_is_told_so(gateway: Gateway) -> None:
    with pytest.raises(openai.AuthenticationError) as caught:
        client(gateway.url, "lth_nonsense").chat.completions.create(model="chat/script", **ask("say hi"))
    assert "lth_nonsense" not in str(caught.value)


def test_models_are_listed(gateway: Gateway) -> None:
    assert "chat/script" in [model.id for model in client(gateway.url, gateway.key()).models.list()]


def test_the_stream_helper_accepts_what_is_left_of_parallel_tool_calls(gateway: Gateway) -> None:
    script = 'tool bash {"command": "rm -rf /"}\ntool bash {"command": "ls"}\ntool bash {"command": "pwd"}'
    guarded = client(gateway.url, gateway.key("guarded"))
    with guarded.chat.completions.stream(model="chat/script", **ask(script)) as stream:
        choice = list(stream) and stream.get_final_completion().choices[0]
    assert choice
    calls = choice.message.tool_calls or []
    assert [call.function.arguments for call in calls] == ['{"command": "ls"}', '{"command": "pwd"}']
    assert "no-dangerous-commands" in (choice.message.content or "")


@pytest.mark.parametrize("more", [{}, {"encoding_format": "float"}, {"dimensions": 4}])
def test_embeddings_are_the_providers_own(gateway: Gateway, more: Any) -> None:
    direct, through = (
        openai.embeddings.create(model=model, input=["one", "two"], **more)
        for openai, model in (
            (client(gateway.provider, "any"), "demo/embed"),
            (client(gateway.url, gateway.key()), "embed"),
        )
    )
    assert through.data == direct.data
    assert through.usage == direct.usage
