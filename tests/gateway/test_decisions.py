"""A call's decisions reach its record and no further: nothing of a call is left once it is over."""

from __future__ import annotations

import gc
import json
import weakref
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.calls import Incoming
from gateway.decisions import Decisions
from gateway.dialects import DIALECTS
from gateway.directory import Client, Directory, Route, Target
from gateway.live_call import LiveCall
from gateway.pipeline import run_call
from gateway.upstreams.demo import DemoUpstream
from policies.active import ActivePolicy, ActiveSet
from policies.library.uppercase import Uppercase
from policies.verdicts import Decision, Mode
from tests.gateway.running import ANTHROPIC, Sent, streamed_and_not


class Record:
    is_real = True

    def __init__(self) -> None:
        self.decisions: list[Decision] = []

    def decide(self, decision: Decision) -> None:
        self.decisions.append(decision)


def decided(action: str, mode: Mode = "enforce", hook: str = "on_text") -> tuple[Decisions, Record]:
    record = Record()
    decisions = Decisions("call_1", record)  # type: ignore[arg-type]
    decisions(Decision("guard", 1, mode, hook, "text 0", action))
    return decisions, record


@pytest.mark.parametrize(
    ("action", "mode", "hook", "kept_back"),
    [
        ("allow", "enforce", "on_text", False),
        ("block", "enforce", "on_text", True),
        ("stop", "enforce", "on_text", True),
        ("failed_closed", "enforce", "on_text", True),
        ("block", "shadow", "on_text", False),
        ("failed_closed", "enforce", "on_end", False),
    ],
)
def test_what_a_policy_in_force_kept_back_is_known(action: str, mode: Mode, hook: str, kept_back: bool) -> None:
    decisions, record = decided(action, mode, hook)
    assert decisions.kept_back is kept_back
    assert [made.action for made in record.decisions] == [action]


def test_a_policy_that_failed_open_is_told_in_the_log() -> None:
    with capture_logs() as logs:
        decided("failed_open")
    assert [(line["event"], line["policy"], line["call"]) for line in logs] == [
        ("policy failed open", "guard", "call_1")
    ]


class Nobody:
    """A writer that takes nothing down."""

    healthy = True
    boot_id = "boot_1"

    def admit(self, opening: Any) -> None:
        """All may begin."""

    def submit(self, entry: Any) -> None:
        return None


@streamed_and_not
async def test_a_call_that_is_over_is_gone_before_the_collector_comes_by(
    monkeypatch: pytest.MonkeyPatch, stream: bool
) -> None:
    monkeypatch.setattr("observability.recording.writer.current", Nobody)
    body = json.dumps(ANTHROPIC.body("say hi", stream=stream)).encode()
    caller = Client("plain", "", True, False, 1)
    incoming = Incoming(DIALECTS["anthropic"], caller, "POST", "/messages", {}, body)
    active = ActiveSet(1, (ActivePolicy("uppercase", 1, Uppercase()),))
    routes = [Route("demo/*", Target("demo", "demo", "", DemoUpstream()))]
    call = await LiveCall.of(incoming, Directory.of(1, active, {}, routes))
    over = weakref.ref(call)
    gc.disable()
    try:
        await run_call(call, Sent())
        del call
        assert over() is None
    finally:
        gc.enable()
