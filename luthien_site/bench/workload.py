"""What is asked: requests that differ from call to call, as bytes ready to send."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

Dialect = Literal["openai", "anthropic", "responses"]

PATHS: dict[Dialect, str] = {
    "openai": "/v1/chat/completions",
    "anthropic": "/v1/messages",
    "responses": "/v1/responses",
}
SYSTEM = " ".join(
    f"Rule {number}: read the file before changing it, keep the change small, and say what was not verified."
    for number in range(1, 21)
)
"""About 2 KB, as the instructions of a small agent."""
WORD = "MARKedword "
"""A text event: one word, which `uppercase` changes."""
_NUMBER = "0000000000"

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Script:
    """What the demo provider is told, a directive a line."""

    lines: Sequence[str]
    stream: bool


WHOLE = Script([f"repeat 60 {WORD}"], stream=False)
"""An unstreamed answer of about 700 bytes."""
SHORT_STREAM = Script([f"repeat 20 {WORD}"], stream=True)


def paced(events: int, every: float) -> Script:
    """A stream of `events` text events, `every` seconds apart."""
    return Script([f"pace {every}", f"repeat {events} {WORD}"], stream=True)


class Requests:
    """Makes the requests of one script to one server. No two are equal, so that a record cannot share their bodies."""

    def __init__(self, script: Script, dialect: Dialect, model: str, key: str) -> None:
        body = _body(script, dialect, model)
        self._before, self._after = (head(dialect, key, len(body)) + body).rsplit(_NUMBER.encode(), 1)

    def next(self) -> bytes:
        return self._before + b"%010d" % next(_numbers) + self._after


def head(dialect: Dialect, key: str, length: int) -> bytes:
    """The head of a request with a body of `length` bytes."""
    lines = (
        f"POST {PATHS[dialect]} HTTP/1.1",
        "host: 127.0.0.1",
        "content-type: application/json",
        f"content-length: {length}",
        "accept: */*",
        f"authorization: Bearer {key}",
        "anthropic-version: 2023-06-01" if dialect == "anthropic" else "user-agent: luthien-bench",
    )
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def _body(script: Script, dialect: Dialect, model: str) -> bytes:
    # The number changes the answer, too. It comes last: the first text event has to be one that is looked for.
    text = "\n".join((*script.lines, "say Task " + _NUMBER))
    user = {"role": "user", "content": text}
    body: dict[str, Any] = {"model": model, "stream": script.stream}
    if dialect == "anthropic":
        body |= {"max_tokens": 4096, "system": SYSTEM, "messages": [user]}
    elif dialect == "responses":
        body |= {"instructions": SYSTEM, "input": [user]}
    else:
        body |= {"messages": [{"role": "system", "content": SYSTEM}, user]}
    # Without blanks, as the SDKs of the providers write it.
    return json.dumps(body, separators=(",", ":")).encode()
