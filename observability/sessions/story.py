"""A session's calls as threads of conversation, and whose subagent a thread is. Pure.

A call belongs to the thread of the call that its messages go on from. Where clients name their agents, that decides.
A conversation that begins while a delegating tool call waits for its result is the subagent of that tool call: the one
that was given the text with which it begins, or else the one that waits longest. What nothing explains runs beside the
others, and is said to.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from .steps import DELEGATING, STEP, Called

Kind = Literal["main", "subagent", "parallel"]
Evidence = Literal["", "header", "text", "time"]


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of a call. Times are in microseconds; `answered_at` is when its answer began, None before that.

    The other fields are those of steps.Steps, and the agents that the client's headers name.
    """

    id: str
    at: int
    answered_at: int | None = None
    request: bytes = b""
    answer: bytes = b""
    opening: int = 0
    setting: str = ""
    agent: str = ""
    parent_agent: str = ""
    texts: Sequence[str] = ()
    tools: Sequence[Called] = ()
    results: Sequence[str] = ()

    @property
    def length(self) -> int:
        """How many steps its request has."""
        return len(self.request) // STEP


@dataclass(frozen=True, slots=True)
class Turn:
    """A call in its thread. The first `shared` steps of its request are known from the call `after`.

    Without `after` the conversation begins with it; where it is not the thread's first, the client began anew.
    """

    call: str
    shared: int = 0
    after: str = ""


@dataclass(slots=True)
class Thread:
    """A conversation. One of kind `subagent` works `under` a call, for its tool call `tool` where that is known.

    `evidence` says what shows that. The thread's `id` is that of its first call.
    """

    id: str
    agent: str
    kind: Kind = "parallel"
    under: str = ""
    tool: str = ""
    evidence: Evidence = ""
    turns: list[Turn] = field(default_factory=list)


def tell(calls: Iterable[Told]) -> list[Thread]:
    """The threads of a session, in the order in which they began.

    Of those that nobody set to work the one with most calls is `main`, the first of several such.
    """
    teller = _Teller()
    for call in sorted(calls, key=lambda call: (call.at, call.id)):
        teller.take(call)
    roots = [thread for thread in teller.threads if thread.kind != "subagent"]
    if roots:
        max(roots, key=lambda thread: len(thread.turns)).kind = "main"
    return teller.threads


@dataclass(slots=True)
class _Waiting:
    """A delegating tool call without a result."""

    call: Told
    tool: Called
    is_taken: bool = False


class _Teller:
    """Fed with calls in the order in which they began."""

    def __init__(self) -> None:
        self.threads: list[Thread] = []
        self._of_call: dict[str, Thread] = {}
        self._of_agent: dict[str, Thread] = {}
        self._talks: dict[bytes, str] = {}
        self._openings: dict[tuple[bytes, str], str] = {}
        self._waiting: dict[str, _Waiting] = {}

    def take(self, call: Told) -> None:
        turn = self._turn(call)
        for id in call.results:
            self._waiting.pop(id, None)
        thread = self._thread(call, turn)
        thread.turns.append(turn)
        self._of_call[call.id] = thread
        self._know(call, turn.shared)
        for tool in call.tools:
            if tool.name.lower() in DELEGATING:
                self._waiting[tool.id or f"{call.id} {tool.name}"] = _Waiting(call, tool)

    def _turn(self, call: Told) -> Turn:
        """From which call this one goes on, and how far."""
        low, high = call.opening, call.length
        while low < high:  # who has a step has all before it
            middle = (low + high + 1) // 2
            low, high = (middle, high) if _step(call.request, middle) in self._talks else (low, middle - 1)
        if low > call.opening:
            return Turn(call.id, low, self._talks[_step(call.request, low)])
        for length in range(call.opening, 0, -1):
            before = self._openings.get((_step(call.request, length), call.setting))
            # Only the last call can be asked again: else the same question begins another conversation.
            if before is not None and self._of_call[before].turns[-1].call == before:
                return Turn(call.id, length, before)
        return Turn(call.id)

    def _thread(self, call: Told, turn: Turn) -> Thread:
        thread = self._of_agent.get(call.agent) if call.agent else self._of_call.get(turn.after)
        if thread is None:
            thread = Thread(call.id, call.agent)
            self._place(thread, call)
            self.threads.append(thread)
            if call.agent:
                self._of_agent[call.agent] = thread
        return thread

    def _place(self, thread: Thread, call: Told) -> None:
        """Under whom a new thread works, if anything shows it."""
        parent = self._of_agent.get(call.parent_agent) if call.parent_agent else None
        waiting = [
            each
            for each in self._waiting.values()
            if each.call.answered_at is not None
            and each.call.answered_at <= call.at
            and (parent is None or self._of_call[each.call.id] is parent)
        ]
        asked = next((each for each in waiting if set(each.tool.asks).intersection(call.texts)), None)
        found = asked or next((each for each in waiting if not each.is_taken), None)
        if found is not None:
            found.is_taken = True
            thread.under, thread.tool = found.call.id, found.tool.id
            thread.evidence = "header" if parent is not None else "text" if asked is not None else "time"
        elif parent is not None:
            thread.under, thread.evidence = parent.turns[-1].call, "header"
        if thread.under:
            thread.kind = "subagent"

    def _know(self, call: Told, shared: int) -> None:
        talk = call.request + call.answer
        for place in range(max(call.opening, shared) + 1, len(talk) // STEP + 1):
            self._talks[_step(talk, place)] = call.id
        if call.length > call.opening:
            # Of several calls that asked the same the last one counts.
            self._talks[_step(talk, call.length)] = call.id
        elif call.length:
            self._openings[_step(talk, call.length), call.setting] = call.id


def _step(steps: bytes, place: int) -> bytes:
    """The digest of the first `place` steps."""
    return steps[(place - 1) * STEP : place * STEP]
