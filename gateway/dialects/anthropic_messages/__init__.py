"""Anthropic Messages: `POST /v1/messages` and `/v1/messages/count_tokens`."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.dialects import recorded
from policies.content import Request, Response
from policies.events import Event

from . import answers, errors, request_maker, request_writer, requests
from .reader import Reader
from .settings import read_settings
from .writer import Writer


class AnthropicMessages:
    """The dialect; see `gateway.dialects.base.Dialect` for what each method promises."""

    name = "anthropic"
    binds_thinking = True
    keepalive = b'event: ping\ndata: {"type": "ping"}\n\n'

    path = "/messages"
    headers: tuple[tuple[str, str], ...] = (("anthropic-version", "2023-06-01"),)
    carries_signatures = True
    plain_ids = True
    has_custom_tools = False

    read_request = staticmethod(requests.read_request)
    write_request = staticmethod(request_writer.write_request)
    read_answer = staticmethod(answers.read_answer)
    read_settings = staticmethod(read_settings)
    make_request = staticmethod(request_maker.make_request)
    write_error = staticmethod(errors.write_error)
    write_failure = staticmethod(errors.write_failure)
    write_models = staticmethod(errors.write_models)
    read_error = staticmethod(errors.read_error)
    error_kind = staticmethod(errors.error_kind)
    error_type = staticmethod(errors.error_type)

    def reader(self, request: Request, strict: bool = True) -> Reader:
        return Reader(strict)

    def writer(self, request: Request) -> Writer:
        return Writer()

    def write_answer(self, events: Sequence[Event], request: Request | None = None) -> bytes:
        return answers.write_answer(events)

    def read_recorded(self, raw: bytes, streamed: bool) -> list[Response]:
        return recorded.fold_stream(raw, Reader()) if streamed else recorded.fold_body(raw, answers.read_answer)
