"""What the demo provider answers, in no dialect. Pure.

`demo/echo` says the last user text again, a word an event. Every other model obeys the last user text whose first line
is a directive, a directive a line, other lines ignored; without one it echoes too. The directives:

    say TEXT          text, a word an event
    think TEXT        reasoning, a word an event
    tool NAME JSON    a tool call, its arguments in fragments, as they stand there, be they JSON or not
    repeat N TEXT     text, N events of TEXT
    pause SECONDS     silence
    pace SECONDS      silence of that length before each following event
    error STATUS      an error of that status, before the first byte
    fail              an error in the middle of the stream
    cut               the connection closes without an end

A turn ends behind its tool calls, as a model's does. Once their results follow the script, it goes on behind the tool
line that was answered last.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

MOST_EVENTS = 1_000_000
LONGEST_PAUSE = 3600.0

_DIRECTIVE = re.compile(r"[ \t]*(say|think|tool|repeat|pause|pace|error|fail|cut)(?:[ \t]+(.*?))?\r?\Z")
_WORD = re.compile(r"\s*\S+\s*(?=\S|\Z)|\s+")
_TOOL = re.compile(r"(\S+)(?:\s+(.*))?\Z")
_REPEAT = re.compile(r"(\d{1,7})[ \t](.+)\Z")


@dataclass(frozen=True, slots=True)
class Words:
    """A block of text or thinking, an event a piece."""

    kind: Literal["text", "thinking"]
    pieces: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tool:
    id: str
    name: str
    arguments: str

    @property
    def fragments(self) -> list[str]:
        """The arguments in at most sixteen pieces, of eight characters where they are short."""
        size = max(8, -(-len(self.arguments) // 16))
        return [self.arguments[start : start + size] for start in range(0, len(self.arguments), size)]


@dataclass(frozen=True, slots=True)
class Pause:
    seconds: float


@dataclass(frozen=True, slots=True)
class Pace:
    seconds: float


@dataclass(frozen=True, slots=True)
class Error:
    status: int


@dataclass(frozen=True, slots=True)
class Fail:
    pass


@dataclass(frozen=True, slots=True)
class Cut:
    pass


Step = Words | Tool | Pause | Pace | Fail | Cut


@dataclass(frozen=True, slots=True)
class UserText:
    text: str


@dataclass(frozen=True, slots=True)
class Result:
    """A tool's result, for the call `id`."""

    id: str


Entry = UserText | Result


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a request says to the demo provider. `words` counts its texts; `seed` is a hash of all of it, in hex.

    The input of `custom_tools` is free text.
    """

    model: str
    entries: Sequence[Entry]
    words: int
    seed: str
    stream: bool = False
    wants_usage: bool = False
    choices: int = 1
    custom_tools: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Turn:
    """What is answered, up to the first `Fail` or `Cut`; or the status `error`, after the silence of the steps."""

    steps: tuple[Step, ...]
    error: int = 0

    @property
    def tools(self) -> list[Tool]:
        return [step for step in self.steps if isinstance(step, Tool)]

    @property
    def broken(self) -> bool:
        return any(isinstance(step, Fail | Cut) for step in self.steps)

    @property
    def silence(self) -> float:
        """Seconds that the pauses take together."""
        return sum(step.seconds for step in self.steps if isinstance(step, Pause))

    def text(self, kind: Literal["text", "thinking"]) -> str:
        """The blocks of that kind, a line break between them."""
        return "\n".join("".join(step.pieces) for step in self.steps if isinstance(step, Words) and step.kind == kind)

    def tokens(self, kind: Literal["text", "thinking", "tool"]) -> int:
        """Events that carry content of that kind."""
        if kind == "tool":
            return sum(len(tool.fragments) + 1 for tool in self.tools)
        return sum(len(step.pieces) for step in self.steps if isinstance(step, Words) and step.kind == kind)

    @property
    def output_tokens(self) -> int:
        return self.tokens("text") + self.tokens("thinking") + self.tokens("tool")


def turn(prompt: Prompt) -> Turn:
    """The answer to `prompt`."""
    if not prompt.model.endswith("echo"):
        for place in range(len(prompt.entries) - 1, -1, -1):
            entry = prompt.entries[place]
            if isinstance(entry, UserText) and _is_script(entry.text):
                return _scripted(entry.text, place, prompt.entries[place + 1 :])
    return Turn((_words("text", _last_text(prompt)),))


def _scripted(text: str, place: int, later: Sequence[Entry]) -> Turn:
    steps = list(_steps(text, place))
    taken: list[Step] = []
    for step in _this_turn(steps[_resume(steps, [entry.id for entry in later if isinstance(entry, Result)]) :]):
        if isinstance(step, Error):
            return Turn(tuple(taken), step.status)
        taken.append(step)
    if not any(isinstance(step, Words | Tool | Fail | Cut) for step in taken):
        taken.append(_words("text", "The script is at its end."))
    return Turn(tuple(taken))


def _resume(steps: list[Step | Error], results: list[str]) -> int:
    """Where in `steps` to go on. Results whose ids nobody knows answer the tool lines in their order."""
    places = {step.id: place for place, step in enumerate(steps) if isinstance(step, Tool)}
    answered = [places[result] for result in results if result in places]
    if not answered:
        answered = list(places.values())[: len(results)]
    return max(answered) + 1 if answered else 0


def _this_turn(steps: list[Step | Error]) -> list[Step | Error]:
    taken: list[Step | Error] = []
    for step in steps:
        if isinstance(step, Words | Error) and any(isinstance(before, Tool) for before in taken):
            break
        taken.append(step)
        if isinstance(step, Fail | Cut):
            break
    return taken


def _is_script(text: str) -> bool:
    first = text.lstrip().split("\n", 1)[0]
    return _step(first, "") is not None


def _steps(text: str, place: int) -> Iterator[Step | Error]:
    for number, line in enumerate(text.lstrip().split("\n")):
        step = _step(line, hashlib.sha256(f"{place}\0{number}\0{text}".encode(errors="replace")).hexdigest())
        if step is not None:
            yield step


def _step(line: str, seed: str) -> Step | Error | None:
    found = _DIRECTIVE.match(line)
    if found is None:
        return None
    directive, rest = found[1], found[2] or ""
    match directive:
        case "say" | "think" if rest.strip():
            return _words("text" if directive == "say" else "thinking", rest)
        case "tool" if named := _TOOL.match(rest.rstrip()):
            return Tool(seed[:24], named[1], named[2] or "")
        case "repeat" if (counted := _REPEAT.match(rest)) and 0 < int(counted[1]) <= MOST_EVENTS:
            return Words("text", (counted[2],) * int(counted[1]))
        case "pause" | "pace" if (seconds := _seconds(rest)) is not None:
            return Pause(seconds) if directive == "pause" else Pace(seconds)
        case "error" if re.fullmatch(r"[45]\d\d\s*", rest):
            return Error(int(rest))
        case "fail" | "cut" if not rest.strip():
            return Fail() if directive == "fail" else Cut()
    return None


def _seconds(text: str) -> float | None:
    if not re.fullmatch(r"\d+(\.\d*)?\s*|\.\d+\s*", text):
        return None
    return min(float(text), LONGEST_PAUSE)


def _words(kind: Literal["text", "thinking"], text: str) -> Words:
    return Words(kind, tuple(_WORD.findall(text)))


def _last_text(prompt: Prompt) -> str:
    texts = [entry.text for entry in prompt.entries if isinstance(entry, UserText) and entry.text.strip()]
    return texts[-1] if texts else "There was no text."
