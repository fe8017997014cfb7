"""The demo provider: from a request to an answer, without any socket. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.upstreams.base import Headers
from gateway.upstreams.demo import anthropic, embeddings, openai_chat, openai_responses
from gateway.upstreams.demo.script import Cut, Fail, Prompt, Turn, turn
from gateway.upstreams.demo.wire import Close, Malformed, Part, Wire, paced, parse, seed_of, what_is_asked

MODELS = ("demo/echo", "demo/script", "demo/embed")
"""What is listed; every other name is answered too, as demo/script is."""
_RETRY_AFTER = {429: "1", 503: "1", 529: "1"}
_WIRES: dict[str, Wire] = {
    "/messages": anthropic,
    "/chat/completions": openai_chat,
    "/responses": openai_responses,
}


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer on its way: after `delay` seconds the head, then the parts. `length` is None for a stream."""

    status: int
    headers: Headers
    parts: Iterator[Part]
    length: int | None = None
    delay: float = 0.0


def reply(method: str, path: str, headers: Headers, body: bytes) -> Reply:
    """The answer to a request; `path` is what follows `/v1`, its query string is ignored."""
    path = path.partition("?")[0]
    seed = seed_of(body)
    if method == "GET" and path == "/models":
        speaks_anthropic = any(name.lower() == "anthropic-version" for name, _ in headers)
        return _whole(200, (anthropic if speaks_anthropic else openai_chat).models(MODELS), seed)
    if method == "POST" and path == "/embeddings":
        return _embeddings(body, seed)
    wire = _WIRES.get(path.removesuffix("/count_tokens"))
    if method != "POST" or wire is None or (path.endswith("/count_tokens") and wire is not anthropic):
        wire = anthropic if path.startswith("/messages") else openai_chat
        return _error(wire, 404, "There is nothing at this path.", seed)
    try:
        asked = parse(body)
        prompt = wire.read(asked, seed_of(what_is_asked(asked)))
    except Malformed as problem:
        return _error(wire, 400, str(problem), seed)
    if path.endswith("/count_tokens"):
        return _whole(200, anthropic.count(prompt), seed)
    return _turn(wire, prompt, turn(prompt))


def _embeddings(body: bytes, seed: str) -> Reply:
    try:
        return _whole(200, embeddings.answer(parse(body)), seed)
    except Malformed as problem:
        return _error(openai_chat, 400, str(problem), seed)


def _turn(wire: Wire, prompt: Prompt, answer: Turn) -> Reply:
    if answer.error:
        message = f"The script asked for status {answer.error}."
        return _error(wire, answer.error, message, prompt.seed, answer.silence)
    if prompt.stream:
        headers = [("content-type", "text/event-stream; charset=utf-8"), ("cache-control", "no-cache")]
        return Reply(200, [*headers, _request_id(prompt.seed)], paced(wire.stream(prompt, answer)))
    if any(isinstance(step, Fail) for step in answer.steps):
        return _error(wire, 500, "The script failed here.", prompt.seed, answer.silence)
    cut = any(isinstance(step, Cut) for step in answer.steps)
    return _whole(200, wire.whole(prompt, answer), prompt.seed, answer.silence, cut)


def _whole(status: int, body: bytes, seed: str, delay: float = 0.0, cut: bool = False) -> Reply:
    parts: list[Part] = [body[: len(body) // 2], Close()] if cut else [body]
    headers = [("content-type", "application/json"), _request_id(seed)]
    return Reply(status, headers, iter(parts), len(body), delay)


def _error(wire: Wire, status: int, message: str, seed: str, delay: float = 0.0) -> Reply:
    whole = _whole(status, wire.error(status, message, seed), seed, delay)
    if status in _RETRY_AFTER:
        whole.headers.append(("retry-after", _RETRY_AFTER[status]))
    return whole


def _request_id(seed: str) -> tuple[str, str]:
    return ("request-id", f"req_{seed[:24]}")
