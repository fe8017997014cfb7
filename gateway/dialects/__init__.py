"""The wire formats that Luthien speaks, by the names that stand on the record."""

from __future__ import annotations

from .anthropic_messages import AnthropicMessages
from .base import Dialect
from .openai_chat import OpenAIChat
from .openai_embeddings import OpenAIEmbeddings

ANTHROPIC: Dialect = AnthropicMessages()
OPENAI_CHAT: Dialect = OpenAIChat()
OPENAI_EMBEDDINGS: Dialect = OpenAIEmbeddings()
DIALECTS: dict[str, Dialect] = {dialect.name: dialect for dialect in (ANTHROPIC, OPENAI_CHAT, OPENAI_EMBEDDINGS)}

__all__ = ["ANTHROPIC", "DIALECTS", "OPENAI_CHAT", "OPENAI_EMBEDDINGS", "Dialect"]
