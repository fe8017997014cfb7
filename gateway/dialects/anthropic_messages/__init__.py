"""Anthropic Messages: `POST /v1/messages` and `/v1/messages/count_tokens`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gateway.dialects import recorded
from gateway.dialects.settings import Made, Model, Settings
from gateway.errors import ErrorKind, GatewayError
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

    def read_request(self, body: bytes) -> Request:
        return requests.read_request(body)

    def write_request(self, body: bytes, original: Request, final: Request, model: str) -> bytes:
        return request_writer.write_request(body, original, final, model)

    def reader(self, request: Request, strict: bool = True) -> Reader:
        return Reader(strict)

    def writer(self, request: Request) -> Writer:
        return Writer()

    def read_answer(self, body: bytes) -> list[Event]:
        return answers.read_answer(body)

    def write_answer(self, events: Sequence[Event], request: Request | None = None) -> bytes:
        return answers.write_answer(events)

    def read_recorded(self, raw: bytes, streamed: bool) -> list[Response]:
        return recorded.fold_stream(raw, Reader()) if streamed else recorded.fold_body(raw, answers.read_answer)

    def write_error(self, error: GatewayError, call_id: str) -> bytes:
        return errors.write_error(error, call_id)

    def write_failure(self, error: GatewayError, call_id: str) -> bytes:
        return errors.write_failure(error, call_id)

    def write_models(self, models: Iterable[str]) -> bytes:
        return errors.write_models(models)

    def read_settings(self, request: Request) -> Settings:
        return read_settings(request)

    def make_request(self, request: Request, settings: Settings, model: Model) -> Made:
        return request_maker.make_request(request, settings, model)

    def read_error(self, body: bytes) -> tuple[str, str]:
        return errors.read_error(body)

    def error_kind(self, type_name: str) -> ErrorKind:
        return errors.error_kind(type_name)

    def error_type(self, kind: ErrorKind) -> str:
        return errors.error_type(kind)
