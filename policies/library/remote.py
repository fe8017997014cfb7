"""Decisions of another process."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from policies.base import Call, Policy
from policies.content import Request, Text, ToolCall
from policies.examples import Example
from policies.remote_service.answer import verdict
from policies.remote_service.question import question
from policies.verdicts import Verdict, block

HOOKS = {"on_request": "requests", "on_text": "texts", "on_tool_call": "tool_calls"}
MOST = 1_000_000
"""Bytes of an answer: it may hold edits of a whole request."""


class Remote(Policy):
    """Asks a service of yours over HTTP, in any language, about requests, texts or tool calls, and does what it says.

    It is asked by a signed POST of JSON, and may allow, replace, block, stop, and answer or refuse a request. A service
    that is down, too slow, or answers in another form has no opinion: the policy has failed.
    """

    category = "judges"
    examples = (
        Example(
            "A call that the service allows",
            ToolCall("call_1", "read_file", '{"path": "a.txt"}'),
            "allow",
            config={"url": "https://decisions.example.com/"},
            judge_says={"action": "allow"},
        ),
        Example(
            "A call that the service changes",
            ToolCall("call_1", "read_file", '{"path": "a.txt"}'),
            "replace",
            '{"path":"b.txt"}',
            config={"url": "https://decisions.example.com/"},
            judge_says={"action": "replace", "arguments": {"path": "b.txt"}, "reason": "a.txt is secret"},
        ),
    )

    class Config(Policy.Config):
        url: str = Field(max_length=2000, description="Where the service is asked, by https or http.")
        secret: str = Field(
            "",
            description="The name of the secret in LUTHIEN_REMOTE_SECRETS that signs the questions; empty: unsigned.",
        )
        judges: tuple[Literal["requests", "texts", "tool_calls"], ...] = Field(
            ("tool_calls",),
            description="What the service is asked about. Texts and tool calls are held until it answers.",
        )
        timeout: float = Field(5.0, gt=0, le=60, description="Seconds for the whole of one answer.")
        longest: int = Field(
            1_000_000, ge=1, description="Characters of what is judged; what is longer is blocked, and nobody is asked."
        )

        @field_validator("url")
        @classmethod
        def _is_a_url(cls, url: str) -> str:
            parts = urlsplit(url)
            _ = parts.port  # raises ValueError where it is none
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.fragment or not url.isprintable():
                raise ValueError("not a URL of http or https")
            if parts.username is not None or parts.password is not None:
                raise ValueError("a URL is on record: name a secret instead of putting one into it")
            return url

    config: Config

    def overrides(self, hook: str) -> bool:
        return super().overrides(hook) and HOOKS[hook] in self.config.judges

    async def on_request(self, request: Request, call: Call) -> Verdict:
        return await self._decided(request, call, sum(map(len, request.texts())))

    async def on_text(self, text: Text, call: Call) -> Verdict:
        return await self._decided(text, call, len(text.text))

    async def on_tool_call(self, tool_call: ToolCall, call: Call) -> Verdict:
        return await self._decided(tool_call, call, len(tool_call.arguments_text))

    async def _decided(self, subject: Request | Text | ToolCall, call: Call, length: int) -> Verdict:
        config = self.config
        if length > config.longest:
            return block("it is too long for the service that judges it")
        body = question(subject, call).model_dump_json(exclude_none=True).encode()
        answer = await call.fetch(config.url, body, secret=config.secret, deadline=config.timeout, most=MOST)
        return verdict(answer, subject)
