"""What a judge is shown: the user's aim, the last turns, and what it is to judge. Pure.

All of it is one JSON document. A text in it cannot end where it stands and go on as another speaker: its quotation
marks and line breaks are escaped, and so is what does not print.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from policies.content import Message, Request, RequestBlock, Text, ToolCall, ToolResult

AIM = 4_000
"""Characters of a user's text that the judge is shown as the aim."""
SAID, ASKED, RETURNED = 1_500, 1_500, 600
"""Characters of a message's text, of a tool call's arguments and of a tool's result in the last turns."""
_MOST_BLOCKS = 20


def document(request: Request, turns: int, judged: Mapping[str, Any]) -> str:
    """The JSON that a judge is shown; `judged` stands in it whole, under `judge_this`."""
    return written({**_aim(request), "last_turns": last_turns(request, turns), "judge_this": dict(judged)})


def written(value: Any) -> str:
    """`value` as JSON for a reader's eyes, with every invisible character as an escape."""
    text = json.dumps(value, ensure_ascii=False, indent=1)
    return text.translate({ord(char): json.dumps(char)[1:-1] for char in set(text) - {"\n"} if not char.isprintable()})


def last_turns(request: Request, turns: int) -> list[dict[str, Any]]:
    """The last `turns` messages in short, the oldest first.

    System messages are not shown, nor a model's thinking, which is where it would argue its case.
    """
    spoken = [message for message in request.messages if message.role != "system"]
    return [_turn(message) for message in spoken[max(len(spoken) - turns, 0) :]]


def shortened(text: str, most: int) -> str:
    """`text` of at most `most` characters: its beginning and its end, and how much is left out between them."""
    if len(text) <= most:
        return text
    end = most // 3
    return f"{text[: most - end]} [... {len(text) - most} characters left out ...] {text[-end:]}"


def result_text(result: ToolResult) -> str:
    """What a tool returned, as far as it is text."""
    return "\n".join(_inner(block) for block in result.blocks)


def _aim(request: Request) -> dict[str, Any]:
    said = [message.text for message in request.messages if message.role == "user" and message.text.strip()]
    if not said:
        return {}
    aim = {"user_said_first": shortened(said[0], AIM)}
    return aim if len(said) == 1 else {**aim, "user_said_last": shortened(said[-1], AIM)}


def _turn(message: Message) -> dict[str, Any]:
    left_out = len(message.blocks) - _MOST_BLOCKS
    turn: dict[str, Any] = {"role": message.role}
    blocks = message.blocks[-_MOST_BLOCKS:]
    for name, short in _PARTS:
        if parts := [part for block in blocks if (part := short(block)) is not None]:
            turn[name] = parts
    return {**turn, "parts_left_out": left_out} if left_out > 0 else turn


def _said(block: RequestBlock) -> Any:
    return shortened(block.text, SAID) if isinstance(block, Text) else None


def _asked(block: RequestBlock) -> Any:
    if not isinstance(block, ToolCall):
        return None
    return {"tool": block.name, "arguments": shortened(block.arguments_text, ASKED)}


def _returned(block: RequestBlock) -> Any:
    return shortened(result_text(block), RETURNED) if isinstance(block, ToolResult) else None


def _inner(block: RequestBlock) -> str:
    return block.text if isinstance(block, Text) else f"[{block.kind}]"


_PARTS: tuple[tuple[str, Callable[[RequestBlock], Any]], ...] = (
    ("says", _said),
    ("calls_tools", _asked),
    ("tools_returned", _returned),
)


def user_turns(request: Request) -> list[tuple[Request, dict[str, Any]]]:
    """What users said and tools returned, each stretch between two answers of a model: what was before it, and itself.

    Neither changes as a conversation goes on.
    """
    turns: list[tuple[Request, dict[str, Any]]] = []
    spoken = tuple(message for message in request.messages if message.role != "system")
    start = 0
    for place, message in enumerate(spoken):
        if message.role == "assistant":
            start = place + 1
        elif place + 1 == len(spoken) or spoken[place + 1].role == "assistant":
            said = _whole(spoken[start : place + 1])
            if said:
                turns.append((dataclasses.replace(request, messages=spoken[:start]), said))
    return turns


def _whole(messages: Iterable[Message]) -> dict[str, Any]:
    blocks = [block for message in messages for block in message.blocks]
    said = [block.text for block in blocks if isinstance(block, Text) and block.text.strip()]
    returned = [result_text(block) for block in blocks if isinstance(block, ToolResult)]
    return {name: texts for name, texts in (("user_says", said), ("tools_returned", returned)) if any(texts)}
