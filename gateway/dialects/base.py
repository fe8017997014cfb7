"""What a dialect is: the reader and writer of one wire format. Pure, so that every protocol test is a list.

A dialect reads requests, streams and whole answers into neutral content and events, and writes them back. What nobody
changed is written from its own bytes; what somebody changed is a minimal edit of its source.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from gateway.errors import ErrorKind, GatewayError
from policies.content import Request, Response
from policies.events import Event

from .settings import Made, Model, Settings


class StreamReader(Protocol):
    """Turns the chunks of one streamed answer into events; keeps what is not yet a whole frame."""

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that `chunk` completes. Raises UpstreamGarbled."""
        ...

    def close(self) -> list[Event]:
        """The upstream is at its end. Raises StreamTruncated if the answer is not."""
        ...


class StreamWriter(Protocol):
    """Stage two of an answer, the ClientFormatter: events to the bytes of one dialect. It counts the blocks."""

    def write(self, events: Sequence[Event]) -> bytes:
        """The bytes of `events`, whole frames only; a frame whose events all came unchanged is its own bytes."""
        ...


class Dialect(Protocol):
    name: str
    """`anthropic`, `openai_chat` or `openai_responses`: stands on the record."""
    binds_thinking: bool
    """Whether thinking is signed over what stands before it, so that it must go when that changes."""
    keepalive: bytes
    """A frame that says nothing and keeps a waiting client awake."""

    path: str
    """Where a provider takes its calls, behind the base URL."""
    headers: tuple[tuple[str, str], ...]
    """Of a call that is not a client's own, beside those that every request has."""
    carries_signatures: bool
    """Whether clients send thinking back with its signature."""
    plain_ids: bool
    """Whether the ids of tool calls may hold only letters, digits, `_` and `-`."""
    has_custom_tools: bool
    """Whether a tool's input may be free text, at every provider that speaks this."""

    def read_request(self, body: bytes) -> Request:
        """Raises BadRequest: not one JSON object, a key twice, wrong types, no model, no messages."""
        ...

    def write_request(self, body: bytes, original: Request, final: Request, model: str) -> bytes:
        """The upstream's body, asking for `model`: `body` itself if nothing differs, else a minimal edit of it."""
        ...

    def reader(self, request: Request, strict: bool = True) -> StreamReader:
        """Reads a streamed answer to `request`. Not `strict`: a frame that makes no sense is an Aside, not an error."""
        ...

    def writer(self, request: Request) -> StreamWriter: ...

    def read_answer(self, body: bytes) -> list[Event]:
        """A whole answer as events (one answer a choice), all of one frame. Raises UpstreamGarbled."""
        ...

    def write_answer(self, events: Sequence[Event], request: Request | None = None) -> bytes:
        """A whole answer to `request`: its frame's own bytes if all events are there, else a minimal edit."""
        ...

    def read_recorded(self, raw: bytes, streamed: bool) -> list[Response]:
        """What a recorded answer says, a Response a choice; of a cut one, the complete blocks. Never raises."""
        ...

    def write_error(self, error: GatewayError, call_id: str) -> bytes:
        """The body of an error answer."""
        ...

    def write_failure(self, error: GatewayError, call_id: str) -> bytes:
        """The frame that ends a stream in an error; nothing may follow it."""
        ...

    def write_models(self, models: Iterable[str]) -> bytes:
        """The body of `GET /v1/models`."""
        ...

    def read_settings(self, request: Request) -> Settings:
        """What a request of this dialect asks for beside its content.

        Raises BadRequest for what no other dialect can say and what may not be left out.
        """
        ...

    def make_request(self, request: Request, settings: Settings, model: Model) -> Made:
        """A request made from nothing but neutral content, which is in the normal form of `portable`.

        Streams are asked for their usage. Raises BadRequest for what this dialect cannot say and may not be left out.
        """
        ...

    def read_error(self, body: bytes) -> tuple[str, str]:
        """The message and the code of a provider's error, both empty where it has none. Never raises."""
        ...

    def error_kind(self, type_name: str) -> ErrorKind:
        """What an error in mid-stream is, by the type that its Failure has."""
        ...

    def error_type(self, kind: ErrorKind) -> str:
        """The type of an error, as this dialect calls it."""
        ...
