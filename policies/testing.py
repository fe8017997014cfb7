"""For authors of policies: make what a hook sees, ask the policy, read the verdict. Pure.

async def test_it_blocks_a_delete():
    assert (await judge(BlockShellDeletes(), tool_call("bash", command="rm -rf /"))).action == "block"
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, assert_never

from policies.asking import Question
from policies.base import Call, Policy
from policies.content import Block, Message, Request, Response, Text, Thinking, Tool, ToolCall
from policies.events import Event, fold, response_events
from policies.examples import Example
from policies.fetching import Fetch
from policies.memory import ProcessMemory
from policies.verdicts import Action, Verdict

Judged = Request | Text | Thinking | ToolCall | Response


def tool_call(name: str, **arguments: Any) -> ToolCall:
    """A tool call of a model, its arguments as JSON."""
    return ToolCall("call_1", name, json.dumps(arguments))


def text(content: str) -> Text:
    return Text(content)


def thinking(content: str) -> Thinking:
    return Thinking(content, "signature")


def request(content: str = "", *, model: str = "demo/echo", tools: Iterable[str] = ()) -> Request:
    """A request of one user message, offering the tools of these names."""
    return Request(model, (Message("user", (Text(content),)),), tools=tuple(Tool(name) for name in tools))


async def judge(policy: Policy, thing: Judged, call: Call | None = None) -> Verdict:
    """The verdict of the hook that is for `thing`."""
    call = call or Call()
    match thing:
        case Request():
            return await policy.on_request(thing, call)
        case Text():
            return await policy.on_text(thing, call)
        case Thinking():
            return await policy.on_thinking(thing, call)
        case ToolCall():
            return await policy.on_tool_call(thing, call)
        case Response():
            return await policy.on_answer(thing, call)
        case _:
            assert_never(thing)


def judged_by(answer: Mapping[str, Any] | None) -> Call:
    """A call whose judges and services all answer with `answer`; with None there is nobody to ask."""

    async def says(call: Call, question: Question) -> dict[str, Any]:
        return dict(answer or {})

    async def serves(call: Call, asked: Fetch) -> bytes:
        return json.dumps(answer).encode()

    return Call() if answer is None else Call(on_ask=says, on_fetch=serves)


def new_request(verdict: Verdict) -> Request:
    """The request that `verdict` puts in the place of what was judged."""
    assert isinstance(verdict.content, Request), f"{verdict.action} carries no request"
    return verdict.content


def new_blocks(verdict: Verdict) -> tuple[Block, ...]:
    """The blocks that `verdict` puts in the place of what was judged."""
    assert isinstance(verdict.content, tuple), f"{verdict.action} carries no blocks"
    return verdict.content


def stream_text(policy: Policy, chunks: Iterable[str], call: Call | None = None) -> str:
    """What is released of a text block that arrives in `chunks`, as the executor runs `on_text_delta`."""
    call = call or Call()
    released, kept = [], ""
    for chunk in chunks:
        live = kept + chunk
        release, keep = policy.on_text_delta(live, call, False)
        released.append(release)
        kept = live[len(live) - keep :]
    release, _ = policy.on_text_delta(kept, call, True)
    return "".join([*released, release])


def remembering(call: Call | None = None) -> Call:
    """`call` with a memory of its own, for several calls of one session: `dataclasses.replace` it for the next."""
    call = call or Call()
    memory = ProcessMemory()
    call.on_first_seen = lambda asking, values: memory.first_seen((asking.policy, asking.mode, asking.session), values)
    return call


def watched(policy: Policy, response: Response, call: Call | None = None) -> Response:
    """What `on_event` makes of `response` as it streams; stop reason and usage are those of its events."""
    call = call or Call()
    made: list[Event] = []
    for event in response_events(response):
        returned = policy.on_event(event, call)
        made += returned if isinstance(returned, Iterable) else [returned]
    return fold(made)


async def outcome(policy: type[Policy], example: Example) -> tuple[Action, str | None]:
    """What `policy` really does in `example`, in the form of its `does` and `becomes`."""
    configured = policy(policy.Config.model_validate(example.config))
    if isinstance(example.sees, Text) and not configured.hooks.isdisjoint({"on_text_delta", "on_event"}):
        released = _released(configured, example.sees)
        return ("allow", None) if released == example.sees.text else ("replace", released)
    verdict = await judge(configured, example.sees, judged_by(example.judge_says))
    return verdict.action, _passing(verdict) if verdict.action == "replace" else None


def _released(policy: Policy, text: Text) -> str:
    """What is released of an answer that says `text`, at the policy's place in the stream."""
    if policy.overrides("on_text_delta"):
        return stream_text(policy, [text.text])
    call = Call("call_1", page="https://luthien.example/calls/call_1/")
    return watched(policy, Response(blocks=(text,), stop_reason="end_turn"), call).text


def _passing(verdict: Verdict) -> str:
    """The text of what passes instead."""
    if isinstance(verdict.content, Request):
        return verdict.content.messages[-1].text
    (block,) = new_blocks(verdict)
    assert isinstance(block, Text | ToolCall), f"an example cannot show {block.kind}"
    return block.text if isinstance(block, Text) else block.arguments_text
