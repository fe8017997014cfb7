"""The wire formats that Luthien speaks, by the names that stand on the record."""

from __future__ import annotations

from .anthropic_messages import AnthropicMessages
from .base import Dialect
from .openai_chat import OpenAIChat
from .openai_embeddings import OpenAIEmbeddings
from .openai_responses import OpenAIResponses

ANTHROPIC: Dialect = AnthropicMessages()
OPENAI_CHAT: Dialect = OpenAIChat()
OPENAI_EMBEDDINGS: Dialect = OpenAIEmbeddings()
OPENAI_RESPONSES: Dialect = OpenAIResponses()
_WITH_HIDDEN_HISTORY: Dialect = OpenAIResponses(hidden_history=True)
DIALECTS: dict[str, Dialect] = {
    dialect.name: dialect for dialect in (ANTHROPIC, OPENAI_CHAT, OPENAI_EMBEDDINGS, OPENAI_RESPONSES)
}


def responses_dialect(hidden_history: bool) -> Dialect:
    """OpenAI Responses, with or without the fields that name what only the provider has."""
    return _WITH_HIDDEN_HISTORY if hidden_history else OPENAI_RESPONSES


__all__ = [
    "ANTHROPIC",
    "DIALECTS",
    "OPENAI_CHAT",
    "OPENAI_EMBEDDINGS",
    "OPENAI_RESPONSES",
    "Dialect",
    "responses_dialect",
]
