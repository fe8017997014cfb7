"""What a link of the chain is. A policy becomes one link for each way in which it takes part in an answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from policies.events import BlockDelta

from .items import Item

Lane = Callable[[BlockDelta], Sequence[Item]]
"""What a delta goes through in a link, and what leaves for it at once."""


class Link(ABC):
    """The items of one answer pass `feed` in order; a Start begins the next answer (another choice).

    After a `feed` that leaves it `waiting`, a link is settled before it is fed again.
    """

    waiting: bool = False
    """Whether a verdict has to come before anything more can be read."""
    waits: bool = True
    """Whether it may come to be `waiting` at all."""
    stopped: bool = False
    """Whether the answer has been ended here. Nothing more leaves of it."""

    @abstractmethod
    def feed(self, items: Sequence[Item]) -> list[Item]:
        """What leaves the link at once when `items` come in. Raises RetryAsked."""

    def lane(self) -> Lane | None:
        """A short way for the deltas of the block that is open, where each leaves as it comes; None where `feed` has to
        see them. It holds until anything else is fed, or anything else than one delta leaves it."""
        return None

    async def settle(self) -> list[Item]:
        """Wait for what `feed` waits for: what leaves then. Raises RetryAsked."""
        return []

    def close(self) -> None:  # noqa: B027 - most links have nothing to give up
        """The call is given up, or over: let go of what is still being judged."""
