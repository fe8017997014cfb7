"""Where a conversation's first call can be looked at."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field, field_validator

from policies.base import Call, Policy
from policies.content import Message, Request, Text
from policies.events import BlockDelta, BlockStart, End, Event, Start, block_events
from policies.examples import Example

_PLACE = "{link}"
_QUIET = "quiet"


class ConversationLink(Policy):
    """Adds the address of the call's page to the first answer of a conversation, as a text block of its own.

    An answer is the first if no model has said anything in the request yet. The link stands at the end of the text, in
    front of tool calls. Answers without text, of a given shape, or cut short get none. Nothing is held back for it.
    """

    category = "plain"
    examples = (
        Example(
            "The first answer",
            Text("Hello."),
            "replace",
            "Hello.\nThis call: https://luthien.example/calls/call_1/",
            {"text": "This call: {link}"},
        ),
        Example("An answer that a program reads", Text('{"title": "Hello"}'), "allow"),
    )

    class Config(Policy.Config):
        text: str = Field(
            f"This conversation is recorded: {_PLACE}",
            description=f"What is added; {_PLACE} stands for the address.",
        )

        @field_validator("text")
        @classmethod
        def _has_a_place(cls, text: str) -> str:
            if _PLACE not in text:
                raise ValueError(f"{_PLACE} has to stand somewhere in it")
            return text

    config: Config

    def on_event(self, event: Event, call: Call) -> Event | Iterable[Event]:
        state = call.state
        if isinstance(event, Start):
            state.clear()
            state[_QUIET] = not call.page or not is_first(call.request)
        elif state.get(_QUIET, True):
            pass
        elif isinstance(event, BlockDelta):
            if state["kind"] == "text" and not state.get("spoken"):
                state["spoken"] = event.text.lstrip()[:1]
                state[_QUIET] = state["spoken"] in ("{", "[")
        elif isinstance(event, BlockStart):
            state["kind"] = event.kind
            if event.kind == "tool_call" and not event.executed:
                return self._before(event, call)
        elif isinstance(event, End) and event.stop_reason == "end_turn":
            return self._before(event, call)
        return event

    def _before(self, event: Event, call: Call) -> list[Event]:
        call.state[_QUIET] = True
        if not call.state.get("spoken"):
            return [event]
        return [*block_events(Text(self.config.text.replace(_PLACE, call.page))), event]


def is_first(request: Request) -> bool:
    """Whether the answer to `request` is the first that people read: one of a given shape or of one token is not."""
    probe = request.max_tokens is not None and request.max_tokens <= 1
    return not (request.structured or probe or any(map(_was_answered, request.messages)))


def _was_answered(message: Message) -> bool:
    return message.role == "assistant" and bool(message.text)
