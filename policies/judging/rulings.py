"""What a judge answers where it applies rules: one class for each set of things that it may decide. Pure."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Reasoned(BaseModel):
    model_config = ConfigDict(strict=True)

    reason: str = Field(description="One sentence, without quoting the document.")
    rule: int = Field(ge=0, description="The number of the rule that decides; 0 if none of them applies.")


class Ruling(_Reasoned):
    """On what may pass or not."""

    action: Literal["allow", "block"]


class TextRuling(_Reasoned):
    """On a text that may also be written anew."""

    action: Literal["allow", "rewrite", "block"]
    text: str | None = Field(None, description="With rewrite: the whole text as it should be; else null.")


class ToolCallRuling(_Reasoned):
    """On a tool call whose arguments may also be written anew."""

    action: Literal["allow", "rewrite", "block"]
    arguments: dict[str, Any] | None = Field(
        None, description="With rewrite: all arguments as they should be, under the same names; else null."
    )


AnyRuling = Ruling | TextRuling | ToolCallRuling
