"""The settings that each policy with a judge has. Pure."""

from __future__ import annotations

from pydantic import Field

from policies.base import Policy


class JudgeSettings(Policy.Config):
    model: str = Field(min_length=1, description="The judge: any model that the gateway serves, by its public name.")
    turns: int = Field(
        6, ge=0, le=50, description="How many messages before what is judged the judge is shown, in short."
    )
    longest: int = Field(
        100_000,
        ge=1_000,
        le=1_000_000,
        description="Characters that are judged at once. What is longer is blocked unread: no part is left out.",
    )
    deadline: float = Field(
        20.0, gt=0, le=240, description="Seconds that the judge has for an answer; without one the policy has failed."
    )
