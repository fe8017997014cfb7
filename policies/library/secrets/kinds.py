"""The kinds of secrets that are told apart. Pure."""

from __future__ import annotations

from typing import Literal, get_args

Kind = Literal[
    "aws",
    "azure",
    "gcp",
    "github",
    "gitlab",
    "slack",
    "stripe",
    "openai",
    "anthropic",
    "luthien",
    "npm",
    "pypi",
    "other_token",
    "jwt",
    "private_key",
    "url_password",
    "authorization",
    "assigned",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
