"""Made-up policies, answers as lists, and a call that plays one through the other."""

import inspect
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from gateway.executor import Answered, PolicyExecutor
from policies.active import ActivePolicy
from policies.base import Call, Policy
from policies.content import Block, Request, Response
from policies.events import BlockDelta, Event, Frame, Grammar, Start, fold, response_events
from policies.verdicts import Decision

T = TypeVar("T")
R = TypeVar("R")

AWAITED = {"on_request", "on_text", "on_thinking", "on_tool_call", "on_answer", "on_end"}


def policy(**hooks: Callable[..., Any]) -> Policy:
    """A policy with these hooks; a hook that is awaited may be given as a plain function."""
    made: type[Policy] = type("Made", (Policy,), {name: _hook(name, hook) for name, hook in hooks.items()})
    return made()


def noting(seen: list[T], what: T, returned: R) -> R:
    """`returned`, after a note of what was seen: a hook in one line."""
    seen.append(what)
    return returned


def _hook(name: str, hook: Callable[..., Any]) -> Callable[..., Any]:
    if name not in AWAITED:
        return lambda self, *arguments: hook(*arguments)

    async def awaited(self: Policy, *arguments: Any) -> Any:
        returned = hook(*arguments)
        return await returned if inspect.isawaitable(returned) else returned

    return awaited


def active(name: str = "guard", /, **how: Any) -> ActivePolicy:
    """An activation of a made-up policy: `on_...` are its hooks, all else belongs to the activation."""
    hooks = {key: value for key, value in how.items() if key.startswith("on_") and key != "on_failure"}
    rest = {key: value for key, value in how.items() if key not in hooks}
    return ActivePolicy(name, 1, policy(**hooks), **rest)


def answer(*blocks: Block, stop: str = "end_turn") -> list[Event]:
    """The events of an answer, each with a frame of its own; a text comes in deltas of three characters."""
    whole = response_events(Response("msg_1", "model-1", blocks, stop))
    return [replace(event, frame=Frame(b"frame")) for each in whole for event in cut(each, 3)]


def cut(event: Event, size: int) -> list[Event]:
    """A delta in pieces of `size` characters; any other event as it is."""
    if not isinstance(event, BlockDelta) or not event.text:
        return [event]
    pieces = [replace(event, text=event.text[at : at + size], signature="") for at in range(0, len(event.text), size)]
    pieces[-1].signature = event.signature
    return [*pieces]


@dataclass
class Source:
    """An upstream: batches of events. `closed` says that it was let go."""

    batches: Iterable[list[Event]]
    closed: bool = False
    read: int = 0

    async def stream(self) -> AsyncGenerator[list[Event], None]:
        try:
            for batch in self.batches:
                self.read += 1
                yield batch
        finally:
            self.closed = True


@dataclass
class Played:
    """What came of a call."""

    executor: PolicyExecutor
    decisions: list[Decision]
    batches: list[list[Event]] = field(default_factory=list)
    source: Source = field(default_factory=lambda: Source([]))

    @property
    def events(self) -> list[Event]:
        return [event for batch in self.batches for event in batch]

    @property
    def response(self) -> Response:
        return fold(self.events)

    @property
    def texts(self) -> list[str]:
        return [block.text for block in self.response.blocks if block.kind == "text"]  # type: ignore[union-attr]

    @property
    def verdicts(self) -> list[tuple[str, str, str, str]]:
        """(policy, hook, block, action) of each decision."""
        return [(made.policy, made.hook, made.block, made.action) for made in self.decisions]


def prepared(*activations: ActivePolicy, request: Request | None = None, **how: Any) -> Played:
    """A call that is about to begin. It began at 0.0 on nobody's clock, so `at` has no meaning but its order."""
    decisions: list[Decision] = []
    call = Call(id="call_1", request=request or Request("model-1"))
    how = {"began": 0.0, "why": "http://console/why/{}".format, **how}
    return Played(PolicyExecutor(activations, call, decisions.append, **how), decisions)


async def through(
    executor: PolicyExecutor, batches: AsyncGenerator[list[Event], None]
) -> AsyncGenerator[list[Event], None]:
    """What is released of an upstream's batches, each as soon as it is; as the pipeline does it."""
    async with aclosing(batches):
        with executor.chain() as chain:
            async for batch in batches:
                if released := chain.feed(batch):
                    yield released
                while chain.waiting:
                    if released := await chain.settle():
                        yield released
                if chain.over:
                    return


async def play(events: Sequence[Event] | Source, *activations: ActivePolicy, **how: Any) -> Played:
    """Play an answer, an event a batch, to its end. What comes out is checked against the grammar."""
    played = prepared(*activations, **how)
    played.source = events if isinstance(events, Source) else Source([[event] for event in events])
    async for batch in through(played.executor, played.source.stream()):
        assert batch, "an empty batch was released"
        played.batches.append(batch)
    check_grammar(played.events)
    return played


async def check(request: Request, *activations: ActivePolicy, **how: Any) -> tuple[Request | Answered, Played]:
    played = prepared(*activations, request=request, **how)
    return await played.executor.check(request), played


def check_grammar(events: Iterable[Event]) -> None:
    grammar = Grammar()
    for event in events:
        grammar.check(event)
    assert grammar.complete


def same_objects(left: Sequence[object], right: Sequence[object]) -> bool:
    return len(left) == len(right) and all(one is other for one, other in zip(left, right, strict=True))


def choices(*answers: list[Event]) -> list[Event]:
    """Answers one after the other, as with `n` > 1."""
    return [
        replace(event, choice=choice) if isinstance(event, Start) else event
        for choice, events in enumerate(answers)
        for event in events
    ]
