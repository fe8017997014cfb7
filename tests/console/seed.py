"""Calls put on record through the real recorder, on the database of the settings in force."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from django.db import connection

from observability.recording.recorder import CallFacts, CallRecorder
from observability.recording.writer import Writer
from observability.rows.database import connect
from policies.content import Usage
from policies.verdicts import Decision
from tests.console.hostile import PAYLOADS

BLOCKED = "call_blocked"
PLAIN = "call_plain"
WHISPERED = "call_whispered"
WHISPER = "xyzzy-said"
GROUP = 25
SECRET_FOLDER = "rm -rf /srv/ledger"


def request(words: str) -> dict[str, Any]:
    """A request in which `words` stand wherever a client can put some."""
    return {
        "model": "claude-test",
        "system": words,
        "tools": [{"name": words, "description": words, "input_schema": {"type": "object"}}],
        "messages": [
            {"role": "user", "content": words},
            {"role": "assistant", "content": [tool_use(words), {"type": "text", "text": words}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": words, "content": words}]},
        ],
        "max_tokens": 100,
    }


def answer(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-test",
        "content": list(blocks),
        "stop_reason": "tool_use",
        "usage": {"input_tokens": 12, "output_tokens": 34},
    }


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def tool_use(words: str) -> dict[str, Any]:
    return {"type": "tool_use", "id": words, "name": words, "input": {"command": words, words: [words]}}


async def put_on_record(
    writer: Writer,
    id: str,
    asked: dict[str, Any],
    said: dict[str, Any],
    given: dict[str, Any] | None = None,
    *,
    sent: dict[str, Any] | None = None,
    decisions: tuple[Decision, ...] = (),
    outcome: Any = "finished",
    words: str = "plain",
    agent: str = "",
    **facts: str,
) -> None:
    """One call from beginning to end; `given` and `sent` where policies changed what passed."""
    names = {"key": "ci", "team": "payments", "session": "session-1", "model": "claude-test", "path": "/v1/messages"}
    call = CallRecorder(
        CallFacts(
            id=id,
            **(names | facts),
            dialect="anthropic",
            streamed=False,
            request_headers=[("user-agent", agent or words), ("x-words", words)],
            request_body=json.dumps(asked).encode(),
            snapshot=1,
        ),
        writer,
    )
    call.open()
    await call.opened()
    call.forwarded("anthropic", "claude-test-1", json.dumps(sent or asked).encode())
    call.head(200, [("content-type", "application/json"), ("x-words", words)])
    call.original(json.dumps(said).encode())
    call.final(json.dumps(given or said).encode())
    call.changed(request=sent is not None, response=given is not None)
    call.usage(Usage(input_tokens=12, output_tokens=34), cost_microdollars=1_500)
    call.note("words", words, 0.5)
    for decision in decisions:
        call.decide(decision)
    failed = outcome == "upstream_error"
    await call.close(outcome, 200, "api_error" if failed else "", words if failed else "")


async def ordinary(writer: Writer) -> None:
    """A call that a policy blocked, and one that nobody touched."""
    asked = request("Clean up the ledger")
    verdict = Decision(
        "no-shell-deletes", 3, "enforce", "on_tool_call", "tool_call toolu_1", "block", "recursive delete", 9.0, 2.0
    )
    await put_on_record(
        writer,
        BLOCKED,
        asked,
        answer(text("I will."), {"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": {"c": SECRET_FOLDER}}),
        answer(text("I will."), text("no-shell-deletes blocked a tool call")),
        sent=request("Clean up the [name]"),
        decisions=(verdict,),
        outcome="blocked",
    )
    await put_on_record(writer, PLAIN, asked, answer(text("Done.")), team="research", model="demo/echo")


async def whispered(writer: Writer) -> None:
    """A call with WHISPER wherever people, models and providers put words, and in no name of anything."""
    asked = {"model": "claude-test", "system": WHISPER, "messages": [{"role": "user", "content": WHISPER}]}
    use = {"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": {"command": WHISPER}}
    said = answer({"type": "thinking", "thinking": WHISPER, "signature": ""}, text(WHISPER), use)
    why = ("block", f"because of {WHISPER}", 1.0, 1.0, 0.9, {"quote": WHISPER})
    await put_on_record(
        writer,
        WHISPERED,
        asked,
        said,
        answer(text(f"{WHISPER} changed")),
        sent={**asked, "system": f"{WHISPER} changed"},
        decisions=(Decision("judge", 1, "enforce", "on_tool_call", "tool_call toolu_1", *why),),
        outcome="upstream_error",
        words=WHISPER,
        agent="some-client/1.0",
        path=f"/v1/messages?{WHISPER}",
    )


async def failing_open(writer: Writer) -> None:
    """Calls that policies should have judged and did not."""
    for number, policy in enumerate(("no-secrets", "no-secrets", "judge-of-a-long-name-" * 4)):
        verdict = Decision(policy, 3, "enforce", "on_text", "text 0", "failed_open", "raised ValueError", 9.0, 2.0)
        await put_on_record(
            writer, f"call_open_{number}", request("Hello"), answer(text("Hello.")), decisions=(verdict,)
        )


async def besieged(writer: Writer) -> None:
    """Calls with all hostile texts, GROUP of them each: as blocks, tools, arguments, results and reasons."""
    for number, group in enumerate(groups()):
        asked = {
            **request("Hello"),
            "tools": [tool for words in group for tool in request(words)["tools"]],
            "messages": [message for words in group for message in request(words)["messages"]],
        }
        said = answer(*({"type": "thinking", "thinking": words, "signature": ""} for words in group), *map(text, group))
        why = [Decision("judge", 1, "enforce", "on_text", f"text {n}", "block", words) for n, words in enumerate(group)]
        await put_on_record(
            writer,
            f"besieged_{number}",
            asked,
            said,
            answer(*map(text, group), *map(tool_use, group)),
            sent={**asked, "system": group[0]},
            decisions=tuple(why),
            session="besieged",
        )


def groups() -> list[list[str]]:
    return [PAYLOADS[start : start + GROUP] for start in range(0, len(PAYLOADS), GROUP)]


async def hostile(writer: Writer) -> None:
    """A call for each hostile text, which stands in every field that a client, a model or a provider can fill."""
    for number, words in enumerate(PAYLOADS):
        await put_on_record(
            writer,
            f"hostile_{number}",
            request(words),
            answer({"type": "thinking", "thinking": words, "signature": ""}, text(words), tool_use(words)),
            answer(text(f"{words} changed")),
            sent=request(f"{words} changed"),
            decisions=(Decision("judge", 1, "shadow", "on_text", words, "block", words, 1.0, 1.0),),
            outcome="upstream_error",
            words=words,
            **dict.fromkeys(("key", "team", "session", "model"), words),
            path=f"/v1/messages?{words}",
        )


def fill(*calls: Any) -> None:
    """Puts `calls` (functions of a writer) on record, and returns when all of it is durable."""

    async def run(writer: Writer) -> None:
        for put in calls:
            await put(writer)

    writer = Writer(connect(connection.settings_dict), "blocking", find_orphans=False)
    writer.start()
    try:
        asyncio.run(run(writer))
    finally:
        writer.stop(10)
