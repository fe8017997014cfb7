"""Stands in for a provider that cannot be used, so that its calls fail with a sentence and all others work."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from gateway.errors import UpstreamUnreachable
from gateway.upstreams.base import Answer, Outgoing


class BrokenUpstream:
    """Refuses every call; `problem` completes the sentence "The provider NAME ..."."""

    def __init__(self, provider: str, problem: str) -> None:
        self.provider = provider
        self._problem = problem

    def send(self, outgoing: Outgoing) -> AbstractAsyncContextManager[Answer]:
        return _Refused(f"The provider {self.provider} {self._problem}")

    async def close(self) -> None:
        """There is nothing to close."""


class _Refused(AbstractAsyncContextManager[Answer]):
    def __init__(self, message: str) -> None:
        self._message = message

    async def __aenter__(self) -> Answer:
        raise UpstreamUnreachable(self._message)

    async def __aexit__(self, *exception: object) -> None:
        """Nothing was opened."""
