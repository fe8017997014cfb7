"""What links hand one another besides events: marks that stand in the stream at the place they speak of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from policies.active import ActivePolicy
from policies.content import BlockKind, ToolCall
from policies.events import Event


@dataclass(frozen=True, slots=True)
class Notice:
    """Something was kept back here: a block, or the whole answer where `kind` is None. `stops`: the answer ends here.

    It stands between blocks. No policy sees it; the gate writes it as text, after the chain.
    """

    by: ActivePolicy
    kind: BlockKind | None
    reason: str
    tool_call: ToolCall | None = None
    label: str = "answer"
    stops: bool = False


@dataclass(frozen=True, slots=True)
class Changed:
    """A policy altered or dropped something here. If it is `content`, thinking that follows may be bound to it."""

    by: ActivePolicy
    content: bool = True


Item = Event | Notice | Changed
Why = Callable[[str], str]
"""Makes of a call's id the address that tells why something was blocked; empty where there is none."""


def untold(call_id: str) -> str:
    """No address."""
    return ""


def notice_text(notice: Notice, call_id: str, why: Why) -> str:
    """What the client reads: who blocked what, and where to see why; never what was blocked."""
    match notice.kind:
        case "tool_call" if notice.tool_call is not None:
            what = f"the tool call {notice.tool_call.name} ({notice.tool_call.id})"
        case "text":
            what = "a part of this answer"
        case "thinking":
            what = "the reasoning of this answer"
        case _:
            what = "this answer"
    return blocked_text(notice.by.name, what, notice.reason, call_id, why)


def blocked_text(policy: str, what: str, reason: str, call_id: str, why: Why) -> str:
    because = f": {reason.rstrip('.')}." if reason else "."
    return f"[Luthien] The policy {policy} blocked {what}{because} {_where(call_id, why)}"


def removed_text(policy: str, call_id: str, why: Why) -> str:
    """What stands in an answer of which policies left nothing, though none blocked it."""
    return f"[Luthien] The policy {policy} removed this answer. {_where(call_id, why)}"


def _where(call_id: str, why: Why) -> str:
    link = why(call_id)
    return f"Call {call_id}: {link}" if link else f"Call {call_id}."
