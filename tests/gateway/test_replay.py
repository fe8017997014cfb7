"""Calls of a real server, replayed with what judged them: the same verdicts, and the same bytes."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

from tests.gateway.running import ANTHROPIC, CHAT, House, ask

REPLAY = """
import json
import re
from gateway.console.replay import Judges, recorded
from gateway.console.replay.playing import Player
from observability import queries
from policies.snapshot import active_set

def timeless(body):
    # A policy's own answer says when it was made.
    return body and re.sub(rb'"created":\\s*\\d+', b"", body)

def verdict(each):
    return [each.policy, each.hook, each.block, each.action, each.reason]

def told(player, id):
    call = queries.call(id)
    result = player.play(recorded(call), active_set().activations, Judges())
    pairs = {{
        "outcome": (result.outcome, call.outcome),
        "verdicts": (sorted(map(verdict, result.decisions)), sorted(map(verdict, call.decisions.all()))),
        "request": (result.forwarded, queries.payload(call, "request_final")),
        "answer": (timeless(result.wire or None), timeless(queries.payload(call, "response_final"))),
    }}
    return [name for name, (again, then) in pairs.items() if again != then]

with Player() as player:
    before = queries.visible_calls().count()
    differences = {{case: told(player, id) for case, id in {ids!r}.items()}}
    print(json.dumps([differences, queries.visible_calls().count() - before]))
"""
BLOCKED = 'say hello\ntool bash {"command": "rm -rf /"}'
ALLOWED = 'think of it\nsay hello\ntool bash {"command": "ls"}'
CASES = (
    ("guarded", BLOCKED),
    ("guarded", ALLOWED),
    ("loud", ALLOWED),
    ("adds", "say hello"),
    ("no-requests", "say hello"),
    ("answered", "say hello"),
    ("limited", "say hello"),
    ("no-answers", "say hello"),
    ("stopped", BLOCKED),
    ("raises", "say hello"),
)


async def recorded(house: House, *arguments: Any, **more: Any) -> str:
    """The id of a call that was made, and is on record."""
    call_id = (await ask(house, *arguments, **more)).headers["x-luthien-call-id"]
    await house.record(call_id)
    return call_id


async def test_a_replay_by_what_is_in_force_repeats_what_was(house: House) -> None:
    ids: dict[str, str] = {}
    for (key, script), dialect, stream in product(CASES, (ANTHROPIC, CHAT), (True, False)):
        ids[f"{key} {dialect.name} {stream} {script}"] = await recorded(house, key, dialect, script, stream=stream)
    for stream in (True, False):
        ids[f"translated {stream}"] = await recorded(
            house, "guarded", ANTHROPIC, BLOCKED, model="chat/script", stream=stream
        )
    differences, more_calls = json.loads(house.server.manage("shell", "-v", "0", "-c", REPLAY.format(ids=ids)))
    assert {case: found for case, found in differences.items() if found} == {}
    assert more_calls == 0
