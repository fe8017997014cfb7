"""OpenAI Embeddings: `POST /v1/embeddings`. The input texts are judged as a request; its answer says nothing. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gateway.errors import RequestBlocked, UpstreamGarbled
from policies.content import Message, Opaque, Request, RequestBlock, Response, Text
from policies.events import End, Event, Start

from . import recorded
from .fields import required_string, wrong
from .openai_chat import OpenAIChat
from .openai_chat.usage import read_usage
from .request_edits import Changes, apply
from .strict_json import read_object
from .unambiguous import unambiguous_object
from .wire_json import Json, dumps

TOKENS = "input_tokens"
"""The type of an input that is a list of token ids: only the model that they are for could say what they mean."""


class OpenAIEmbeddings(OpenAIChat):
    """The dialect; what it does not override is of no use to it, or as in Chat Completions."""

    name = "openai_embeddings"
    path = "/embeddings"

    def read_request(self, body: bytes) -> Request:
        source = read_object(body)
        blocks = tuple(_input(each) for each in _inputs(source.get("input")))
        # An answer without tokens: no conversation begins with it.
        return Request(
            required_string(source, "model"), (Message("user", blocks, source=source),), max_tokens=0, source=source
        )

    def write_request(self, body: bytes, original: Request, final: Request, model: str) -> bytes:
        """System text that a policy added has nobody to read it. Raises RequestBlocked where inputs are missing."""
        changes: Changes = {}
        if final.messages != original.messages:
            changes["input"] = dumps(_written(original, final))
        return apply(body, original, model, changes)

    def read_answer(self, body: bytes) -> list[Event]:
        """The usage alone: vectors are nobody's text."""
        source = unambiguous_object(body)
        if source.get("object") != "list" or not isinstance(source.get("data"), list):
            raise UpstreamGarbled("the provider's answer is not a list of embeddings")
        model = source.get("model")
        return [Start(model=model if isinstance(model, str) else ""), End("end_turn", read_usage(source.get("usage")))]

    def read_recorded(self, raw: bytes, streamed: bool) -> list[Response]:
        return recorded.fold_body(raw, self.read_answer)


def hides_input(request: Request) -> bool:
    """Whether an input of an embeddings request is one that no policy can read."""
    return any(isinstance(block, Opaque) and block.type == TOKENS for each in request.messages for block in each.blocks)


def _inputs(given: Any) -> Sequence[Any]:
    """The inputs, each a text or a list of tokens. Raises BadRequest."""
    many = given if isinstance(given, list) and not _is_tokens(given) else [given]
    if not many or not all((isinstance(each, str) and each) or _is_tokens(each) for each in many):
        raise wrong("input", "a text that is not empty, a list of token ids, or a list of such")
    return many


def _input(given: Any) -> RequestBlock:
    return Text(given) if isinstance(given, str) else Opaque(TOKENS, source=given)


def _is_tokens(given: Any) -> bool:
    return isinstance(given, list) and bool(given) and all(type(each) is int for each in given)


def _written(original: Request, final: Request) -> Any:
    """The member `input`, in the form that the client chose."""
    blocks = [block for message in final.messages for block in message.blocks]
    written = [block.text if isinstance(block, Text) else block.source for block in blocks]
    if len(written) != len(original.messages[0].blocks) or not all(written):
        raise RequestBlocked("A policy changed the inputs of this call in a way that embeddings cannot say.")
    source: Json = original.source
    return written if _inputs(source["input"]) is source["input"] else written[0]
