"""What made-up agents ask and are told, turn by turn; the same for the same seed. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate
from random import Random
from typing import Any

from policies.content import Message

TEAMS = {
    "payments": ("ci", "ledger-agent", "on-call"),
    "platform": ("deploys", "upgrade-bot"),
    "research": ("notebooks", "evals"),
    "support": ("triage", "answers"),
    "data": ("etl", "reports"),
}
MODELS = (
    ("claude-sonnet-4-5", "anthropic", 3.0, 15.0), ("claude-haiku-4-5", "anthropic", 1.0, 5.0),
    ("claude-opus-4-5", "anthropic", 5.0, 25.0), ("gpt-5", "openai", 1.25, 10.0), ("gpt-5-mini", "openai", 0.25, 2.0),
)  # fmt: skip
"""Name, provider, and dollars for a million tokens in and out."""
TASKS = (
    "Find out why the nightly reconciliation of the ledger fails.", "Upgrade the web framework and mend what breaks.",
    "Write a test for the rounding of refunds.", "Summarise yesterday's tickets by cause.",
    "Make the import of invoices twice as fast.", "Explain what changed between the last two releases.",
    "Clean up temporary files on the build machines.", "Draft a migration that adds a currency to orders.",
)  # fmt: skip
WORDS = (
    "account", "ledger", "refund", "invoice", "order", "currency", "rounding", "import", "queue", "worker", "timeout",
    "retry", "batch", "schema", "migration", "index", "customer", "ticket", "release", "branch", "commit", "test",
    "fixture", "report", "column", "total", "balance", "gateway", "policy", "review", "deploy", "cluster", "pipeline",
    "cache", "session", "token", "header", "payload", "stream", "answer", "request", "latency", "budget", "archive",
)  # fmt: skip
COMMANDS = (
    "pytest -q tests/ledger", "git status --short", "ls -la src", "grep -rn refund src", "cat pyproject.toml",
    "rm -rf build/tmp", "curl -s https://status.example.com", "psql -c 'select count(*) from orders'",
)  # fmt: skip
TOOLS = ("bash", "read_file", "edit_file", "search_code", "sql_query", "fetch_page")
OUTCOMES = ("finished", "cancelled", "upstream_error", "cut", "refused", "stalled", "interrupted")
OF_A_THOUSAND = tuple(accumulate((940, 18, 16, 8, 8, 6, 4)))
POLICIES = (("no-dangerous-commands", 3, "on_tool_call"), ("secrets", 2, "on_request"), ("tone", 1, "on_text"))
MOST_TURNS = 14
WORDS_A_SENTENCE = 8
_words = Random(0)  # noqa: S311
_SENTENCES = tuple(" ".join(_words.choices(WORDS, k=WORDS_A_SENTENCE)) + "." for _ in range(2_000))


@dataclass(slots=True)
class Talk:
    """A session as far as it got. `messages` are those of Anthropic's dialect, `read` those that somebody has read."""

    session: str
    team: str
    key: str
    model: tuple[str, str, float, float]
    turns: int
    messages: list[dict[str, Any]] = field(default_factory=list)
    read: list[Message] = field(default_factory=list)


@dataclass(slots=True)
class Turn:
    """A call of a session: what was asked and forwarded, said and given, and what was decided about it.

    `judged` are (policy, version, hook, action). Of a call that was refused nobody said anything.
    """

    talk: Talk
    at: datetime
    asked: dict[str, Any]
    forwarded: dict[str, Any]
    said: dict[str, Any] | None
    given: dict[str, Any] | None
    outcome: str
    judged: list[tuple[str, int, str, str]]
    milliseconds: float
    input_tokens: int
    output_tokens: int


def story(calls: int, begin: datetime, end: datetime, random: Random) -> Iterator[Turn]:
    """That many calls from `begin` to `end`, in the order in which they began."""
    talks: list[Talk] = []
    step = (end - begin) / max(calls, 1)
    for number in range(calls):
        if len(talks) < 30:
            talks.append(_new_talk(random))
        place = random.randrange(len(talks))
        talk = talks[place]
        at = begin + step * number + timedelta(microseconds=random.randrange(max(int(step.total_seconds() * 9e5), 1)))
        yield _turn(talk, at, random)
        if len(talk.messages) >= 2 * talk.turns:
            talks.pop(place)


def _new_talk(random: Random) -> Talk:
    team = random.choice(list(TEAMS))
    model = random.choices(MODELS, (40, 25, 5, 20, 10))[0]
    turns = min(1 + int(random.expovariate(0.25)), MOST_TURNS)
    return Talk(f"ses_{random.getrandbits(96):024x}", team, random.choice(TEAMS[team]), model, turns)


def _turn(talk: Talk, at: datetime, random: Random) -> Turn:
    talk.messages.append(_next_message(talk, random))
    blocks = _blocks(random)
    outcome = random.choices(OUTCOMES, cum_weights=OF_A_THOUSAND)[0]
    judged, given, forwarded = _judge(talk, blocks, random)
    asked = _request(talk, talk.messages)
    if any(action == "block" for *_, action in judged) and outcome == "finished":
        outcome = "blocked"
    spoke = outcome not in ("refused", "upstream_error")
    tokens = (900 + 170 * len(talk.messages) + random.randrange(80), 20 + random.randrange(600))
    answer = _answer(talk, blocks, tokens)
    turn = Turn(
        talk, at, asked, _request(talk, forwarded) if forwarded else asked, answer if spoke else None,
        (_answer(talk, given, tokens) if given else answer) if spoke else None, outcome, judged,
        random.lognormvariate(7.4, 0.9), tokens[0], tokens[1] if spoke else 0,
    )  # fmt: skip
    talk.messages.append({"role": "assistant", "content": blocks})
    return turn


def _next_message(talk: Talk, random: Random) -> dict[str, Any]:
    last = talk.messages[-1]["content"][-1] if talk.messages else None
    if last is not None and last["type"] == "tool_use":
        result = {
            "type": "tool_result",
            "tool_use_id": last["id"],
            "content": _prose(random, 40 + random.randrange(120)),
        }
        return {"role": "user", "content": [result]}
    return {"role": "user", "content": f"{random.choice(TASKS)} {_prose(random, 12)}"}


def _blocks(random: Random) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = [{"type": "text", "text": _prose(random, 20 + random.randrange(80))}]
    if random.random() < 0.6:
        tool = random.choice(TOOLS)
        command = random.choice(COMMANDS) if tool == "bash" else _prose(random, 6)
        id = f"toolu_{random.getrandbits(64):016x}"
        blocks.append({"type": "tool_use", "id": id, "name": tool, "input": {"command": command}})
    return blocks


Judged = tuple[list[tuple[str, int, str, str]], list[dict[str, Any]] | None, list[dict[str, Any]] | None]


def _judge(talk: Talk, blocks: list[dict[str, Any]], random: Random) -> Judged:
    """The decisions; the blocks that were given and the messages that were forwarded, where these are others."""
    judged: list[tuple[str, int, str, str]] = []
    given = forwarded = None
    for policy, newest, hook in POLICIES:
        version = random.randrange(newest) + 1
        action = "allow"
        if hook == "on_tool_call":
            if blocks[-1]["type"] != "tool_use":
                continue
            if "rm -rf" in blocks[-1]["input"]["command"]:
                action = "block"
                given = [*blocks[:-1], {"type": "text", "text": "A policy of your team blocked a tool call."}]
        elif hook == "on_request" and random.random() < 0.03:
            action = "replace"
            last = talk.messages[-1]
            forwarded = [*talk.messages[:-1], {"role": "user", "content": f"[secret removed] {_text(last)}"}]
        judged.append((policy, version, hook, action))
    return judged, given, forwarded


def _text(message: dict[str, Any]) -> str:
    content = message["content"]
    return content if isinstance(content, str) else str(content[0]["content"])


def _request(talk: Talk, messages: list[dict[str, Any]]) -> dict[str, Any]:
    system = f"You work for the team {talk.team}. Say what you do, and do no harm."
    return {"model": talk.model[0], "max_tokens": 4096, "system": system, "messages": list(messages)}


def _answer(talk: Talk, blocks: list[dict[str, Any]], tokens: tuple[int, int]) -> dict[str, Any]:
    reason = "tool_use" if blocks[-1]["type"] == "tool_use" else "end_turn"
    return {
        "id": f"msg_{talk.session[4:]}{len(talk.messages)}", "type": "message", "role": "assistant",
        "model": talk.model[0], "content": blocks, "stop_reason": reason, "stop_sequence": None,
        "usage": {"input_tokens": tokens[0], "output_tokens": tokens[1]},
    }  # fmt: skip


def _prose(random: Random, words: int) -> str:
    sentences = random.choices(_SENTENCES, k=max(words // WORDS_A_SENTENCE, 1))
    return " ".join(sentences)
