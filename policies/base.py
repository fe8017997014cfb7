"""What a policy author subclasses: Policy, its hooks and its Config; and Call, what a hook knows of its surroundings.

Policies are immutable and shared between calls. A policy never logs, opens no span and touches no database; what it
remembers within a call is in `call.state`, what it wants on record is a verdict's reason or a note.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict

from .asking import JudgeFailed, Question
from .content import NO_USAGE, Request, Response, Text, Thinking, ToolCall, Usage
from .counting import Count, Counters, Limit, MemoryStore
from .events import Event
from .examples import Category, Example
from .fetching import Fetch, FetchFailed
from .memory import check
from .verdicts import Mode, Verdict, allow

Answer = TypeVar("Answer", bound=BaseModel)


def _ignore(kind: str, text: str, value: float | None) -> None:
    """A call outside the gateway keeps no notes."""


async def _nobody(call: Call, question: Question) -> dict[str, Any]:
    raise JudgeFailed("outside the gateway there is nobody to ask")


async def first_time(call: Call, values: Mapping[str, str]) -> dict[str, str]:
    """A call that knows no other one of its session."""
    return dict(values)


async def count_alone(call: Call, limits: Sequence[Limit]) -> Count:
    """A call before which nothing was counted."""
    return await Counters(MemoryStore()).count(call, limits)


async def _no_service(call: Call, asked: Fetch) -> bytes:
    raise FetchFailed("outside the gateway no service can be asked")


async def _no_price(model: str, usage: Usage) -> int | None:
    return None


@dataclass(slots=True)
class Call:
    """One client request on its way through the gateway, as one policy sees it.

    `key`, `team`, `session` and `model` are names, as they will stand on the record; `model` is the one the client
    named. `page` is the address of the call's page, empty outside the gateway. `request` is the request as this policy
    may see it. `state` is this policy's own, fresh for each call, and so are `policy`, `version` and `mode`: what it is
    in force as. `only_counts` says that the client asks for nothing but the number of tokens of its request.

    `usage` and `cost` (micro-dollars; None without a price) are what the call used. They are known at `on_end`;
    `usage_is_whole` is False there where the answer ended before its provider told all of it.
    """

    id: str = ""
    key: str = ""
    team: str = ""
    session: str = ""
    model: str = ""
    dialect: str = ""
    request: Request = field(default_factory=lambda: Request(""))
    state: dict[str, Any] = field(default_factory=dict)
    policy: str = ""
    version: int = 0
    mode: Mode = "enforce"
    page: str = ""
    only_counts: bool = False
    usage: Usage = NO_USAGE
    cost: int | None = None
    usage_is_whole: bool = True
    on_note: Callable[[str, str, float | None], None] = _ignore
    on_ask: Callable[[Call, Question], Awaitable[dict[str, Any]]] = _nobody
    on_first_seen: Callable[[Call, Mapping[str, str]], Awaitable[dict[str, str]]] = first_time
    on_count: Callable[[Call, Sequence[Limit]], Awaitable[Count]] = count_alone
    on_price: Callable[[str, Usage], Awaitable[int | None]] = _no_price
    on_fetch: Callable[[Call, Fetch], Awaitable[bytes]] = _no_service

    def note(self, kind: str, text: str = "", value: float | None = None) -> None:
        """Put an entry on the call's record; with a value it is also a metric and an event of the span."""
        self.on_note(kind, text, value)

    async def ask(
        self,
        model: str,
        instruction: str,
        subject: str,
        answer: type[Answer],
        *,
        deadline: float = 20.0,
        max_tokens: int = 2000,
        cache: bool = False,
    ) -> Answer:
        """What the judge `model`, any that the gateway serves, says of `subject`, as an object of the class `answer`.

        `subject` is sent as data, apart from the `instruction`. No policies run on it, and the client's credential is
        never used. What it costs is on the call's record. `deadline` is in seconds; the policy's own goes on meanwhile.
        With `cache` the same question, to the letter, may get the answer that it got before under this policy version.
        Raises JudgeFailed.
        """
        question = Question(model, instruction, subject, answer, deadline, max_tokens, cache)
        read = question.read(await self.on_ask(self, question))
        assert isinstance(read, answer)
        return read

    async def first_seen(self, values: Mapping[str, str]) -> dict[str, str]:
        """For each name of `values`, the value that this policy first gave with it in this session: now, or before.

        It never changes later, so all calls and processes agree about it. Names and values are short; of what is long
        keep a digest. Outside the gateway, and in a call without a session, everything is seen for the first time.
        Raises MemoryFailed where the session cannot be remembered, and ValueError for a text of over 100 characters.
        """
        check(values)
        return await self.on_first_seen(self, values)

    async def count(self, *limits: Limit) -> Count:
        """Take what all of `limits` ask for, or nothing; whoever counts at the same time takes its own share.

        Where Redis is shared all gateway processes count together. Raises CountersUnavailable.
        """
        return await self.on_count(self, limits)

    async def price(self, model: str, usage: Usage) -> int | None:
        """Micro-dollars of `usage` at the model that goes by this name here; None where no price is known."""
        return await self.on_price(model, usage)

    async def fetch(
        self, url: str, body: bytes, *, secret: str = "", deadline: float = 5.0, most: int = 65_536
    ) -> bytes:
        """What the service at `url` answers, with status 200, to a POST of the JSON `body`.

        It is signed with the secret of the gateway that goes by the name `secret`, and follows no redirect. `deadline`
        is in seconds, `most` in bytes. Private addresses have to be allowed by the operator. Raises FetchFailed.
        """
        return await self.on_fetch(self, Fetch(url, body, secret, deadline, most))


_FIELDS = tuple(field.name for field in fields(Call))


def seen_by(call: Call, policy: str, version: int, mode: Mode) -> Call:
    """`call` as a policy sees it that is in force so, with a state of its own."""
    # A third of what dataclasses.replace costs, for each policy of each call.
    seen = Call.__new__(Call)
    for name in _FIELDS:
        setattr(seen, name, getattr(call, name))
    seen.state, seen.policy, seen.version, seen.mode = {}, policy, version, mode
    return seen


class Policy:
    """Override only the hooks you need: you pay for a hook, in time and in holding back, only if you override it.

    The docstring of the class is its text in the console's catalogue, `category` is the heading that it stands under
    there, and `examples` show what it does. Raising or running into the deadline blocks, unless the activation says
    `on_failure: open`.
    """

    category: ClassVar[Category] = "other"
    examples: ClassVar[tuple[Example, ...]] = ()

    class Config(BaseModel):
        """The policy's settings; the console's form, the stored JSON and the validation all come from it."""

        model_config = ConfigDict(extra="forbid", frozen=True)

    config: Config

    def __init__(self, config: Config | None = None) -> None:
        self.config = config if config is not None else self.Config()

    async def on_request(self, request: Request, call: Call) -> Verdict:
        """The whole request, before the provider sees it."""
        return allow()

    def on_event(self, event: Event, call: Call) -> Event | Iterable[Event]:
        """Each event of the answer as it comes; return none, one or many, which are still held and judged.

        Called in the order of the stream and never awaited: be quick. Other hooks see what it returns.
        """
        return event

    def on_text_delta(self, text: str, call: Call, final: bool) -> tuple[str, int]:
        """Live text. Return what to release for it, and how many trailing input characters to see again.

        What is kept stands at the front of the next `text`. With `final` the block is over and nothing can be kept.
        However the text is cut, what is released over the block has to be the same.
        """
        return text, 0

    async def on_text(self, text: Text, call: Call) -> Verdict:
        """A complete text block, held until the verdict."""
        return allow()

    async def on_thinking(self, thinking: Thinking, call: Call) -> Verdict:
        """A complete thinking block, held until the verdict: allow, block or stop."""
        return allow()

    def on_tool_call_delta(self, fragment: str, call: Call) -> None:
        """A fragment of a tool call's arguments, as it arrives."""

    async def on_tool_call(self, tool_call: ToolCall, call: Call) -> Verdict:
        """A complete tool call. All tool calls of an answer are held until the last of them is judged."""
        return allow()

    async def on_answer(self, response: Response, call: Call) -> Verdict:
        """The whole answer, all of it held until the verdict."""
        return allow()

    def on_finish(self, reason: str, call: Call) -> None:
        """Why the model stopped."""

    async def on_end(self, call: Call, outcome: str) -> None:
        """The call is over, whatever happened; `outcome` as on the record."""

    def offers(self, model: str, key: str, team: str) -> bool:
        """Whether this key may use `model`: else no list names it, and no reroute, retry or fallback leads there.

        The model that a client names is for `on_request` to decide.
        """
        return True

    def overrides(self, hook: str) -> bool:
        """Whether this policy has a hook of its own by that name; it may say no where its config leaves one idle."""
        return getattr(type(self), hook) is not getattr(Policy, hook)

    @cached_property
    def hooks(self) -> frozenset[str]:
        """The hooks that this policy has; asked once, because a policy never changes."""
        return frozenset(hook for hook in HOOKS if self.overrides(hook))


HOOKS = tuple(name for name in vars(Policy) if name.startswith("on_"))
ANSWER_HOOKS = frozenset(HOOKS) - {"on_request", "on_end"}
"""A policy that overrides none of these never touches an answer."""
