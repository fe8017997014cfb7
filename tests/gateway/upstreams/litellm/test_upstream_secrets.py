"""What litellm must not do on its own: try again, follow, fetch, or use what nobody gave it."""

import os

import pytest
from aiohttp import web

from gateway.errors import BadRequest, UpstreamUnreachable
from gateway.upstreams.litellm.upstream import LitellmUpstream
from tests.gateway.upstreams.conftest import Serve
from tests.gateway.upstreams.litellm.calling import SECRET, chat, gemini, refused, upstream
from tests.gateway.upstreams.litellm.gemini import MODEL, Gemini

pytestmark = pytest.mark.usefixtures("litellm")


@pytest.mark.parametrize("status", [429, 500])
async def test_nothing_is_tried_again_unasked(status: int, serve: Serve) -> None:
    asked: list[web.BaseRequest] = []

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        asked.append(request)
        return web.json_response({"error": {"message": "no"}}, status=status)

    async with serve(handle) as url:
        for count, shape in enumerate(("openai", "anthropic", "gemini", "groq"), 1):
            there = gemini(url) if shape == "gemini" else upstream(shape, url)
            assert (await refused(there, chat(model=MODEL)))[0] == status
            assert len(asked) == count, shape


@pytest.mark.parametrize("shape", ["openai", "anthropic", "gemini", "hosted_vllm"])
async def test_a_redirect_takes_the_credential_nowhere(shape: str, serve: Serve) -> None:
    elsewhere: list[web.BaseRequest] = []

    async def other(request: web.BaseRequest) -> web.StreamResponse:
        elsewhere.append(request)
        return web.json_response({})

    async with serve(other) as target:

        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            return web.Response(status=307, headers={"location": target + "/x"})

        async with serve(handle) as url:
            there = gemini(url) if shape == "gemini" else upstream(shape, url)
            with pytest.raises(UpstreamUnreachable):
                await refused(there, chat(model=MODEL))
    assert elsewhere == []


async def test_the_environment_lends_no_credential(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where somebody sets it when litellm is there: a provider without a key has none."""
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "GROQ_API_KEY", "MISTRAL_API_KEY"):
        monkeypatch.setenv(name, "sk-canary")
    heard: list[str] = []

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        heard.append(f"{request.raw_path} {dict(request.headers)} {await request.text()}")
        return web.json_response({"error": {"message": "no"}}, status=401)

    async with serve(handle) as url:
        for shape in ("openai", "anthropic", "gemini", "groq", "mistral"):
            there = LitellmUpstream("prov", shape, url)
            assert (await refused(there, chat(model=MODEL)))[0] == 401
    assert len(heard) == 5
    assert "canary" not in "".join(heard)


async def test_nothing_is_fetched_for_a_client(serve: Serve) -> None:
    fetched: list[web.BaseRequest] = []

    async def inside(request: web.BaseRequest) -> web.StreamResponse:
        fetched.append(request)
        return web.Response(body=b"\x89PNG\r\n\x1a\n", content_type="image/png")

    async with serve(inside) as target, serve(Gemini([{"text": "hi"}])) as url:
        content = [{"type": "image_url", "image_url": {"url": target + "/secret.png"}}]
        messages = [{"role": "user", "content": content}]
        status, _, _ = await refused(gemini(url), chat(model=MODEL, messages=messages))
    assert (status, fetched) == (400, [])


async def test_the_providers_own_words_do_not_repeat_our_credential(serve: Serve) -> None:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        message = f"Incorrect API key provided: {request.headers['authorization']}"
        return web.json_response({"error": {"message": message}}, status=401)

    async with serve(handle) as url:
        assert await refused(upstream("openai", url), chat()) == (
            401,
            {"content-type": "application/json"},
            "Incorrect API key provided: Bearer ***",
        )


async def test_the_rows_headers_and_options_go_along(serve: Serve) -> None:
    asked: list[web.BaseRequest] = []

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        asked.append(request)
        return web.json_response({"error": {"message": "no"}}, status=400)

    async with serve(handle) as url:
        options = {"api_version": "2026-01-01"}
        there = LitellmUpstream("prov", "azure", url, SECRET, [("x-org", "payments")], options)
        await refused(there, chat())
    assert asked[0].query["api-version"] == "2026-01-01"
    assert (asked[0].headers["x-org"], asked[0].headers["api-key"]) == ("payments", SECRET)


async def test_bedrock_takes_the_key_of_the_row(serve: Serve) -> None:
    asked: list[web.BaseRequest] = []

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        asked.append(request)
        return web.json_response({"message": "no"}, status=403)

    async with serve(handle) as url:
        there = LitellmUpstream("prov", "bedrock", url, SECRET, options={"aws_region_name": "eu-central-1"})
        assert (await refused(there, chat(model="anthropic.claude-3-haiku-20240307-v1:0")))[0] == 403
    assert asked[0].headers["authorization"] == f"Bearer {SECRET}"


async def test_a_field_that_cannot_be_left_out_is_refused_before_anybody_is_asked(serve: Serve) -> None:
    stub = Gemini([{"text": "hi"}])
    async with serve(stub) as url:
        with pytest.raises(BadRequest, match="audio"):
            await refused(gemini(url), chat(model=MODEL, audio={"voice": "alloy"}))
    assert stub.asked == []


def test_the_canaries_are_not_in_the_environment_that_litellm_was_loaded_with() -> None:
    assert not [name for name in os.environ if name.endswith("_API_KEY")]
