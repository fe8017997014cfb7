"""OpenAI Responses: `POST /v1/responses`."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.dialects import recorded
from policies.content import Request, Response
from policies.events import Event

from . import answers, errors, request_maker, request_writer, requests, tools
from .reader import Reader
from .settings import read_settings
from .writer import Writer


class OpenAIResponses:
    """The dialect; see `gateway.dialects.base.Dialect` for what each method promises.

    `hidden_history` lets fields pass that name a conversation which only the provider sees.
    """

    name = "openai_responses"
    binds_thinking = False
    keepalive = b": keep-alive\n\n"

    path = "/responses"
    headers: tuple[tuple[str, str], ...] = ()
    carries_signatures = True
    plain_ids = False
    has_custom_tools = True

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

    def __init__(self, hidden_history: bool = False) -> None:
        self._hidden_history = hidden_history

    def read_request(self, body: bytes) -> Request:
        return requests.read_request(body, self._hidden_history)

    def reader(self, request: Request, strict: bool = True) -> Reader:
        return Reader(strict)

    def writer(self, request: Request) -> Writer:
        return Writer(tools.namespaces(request))

    def write_answer(self, events: Sequence[Event], request: Request | None = None) -> bytes:
        return answers.write_answer(events, tools.namespaces(request) if request is not None else None)

    def read_recorded(self, raw: bytes, streamed: bool) -> list[Response]:
        return recorded.fold_stream(raw, Reader()) if streamed else recorded.fold_body(raw, answers.read_answer)
