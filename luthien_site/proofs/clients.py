"""Clients of a gateway under proof: what they ask, and what they hold of its answers."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

from luthien_site.bench.client import CallFailed, Connection, Pool
from luthien_site.bench.gateway import MODEL
from luthien_site.bench.workload import Dialect, Requests, Script
from luthien_site.proofs.ledger import Claim
from luthien_site.proofs.received import Received, read_stream, read_whole

CLIENTS = 8
_TOOLS = ('tool run {"command": "make test"}', 'tool read {"path": "README", "from": 1, "to": 200}')
SCRIPTS = (
    Script(["pace 0.002", "repeat 12 MARKed ", *_TOOLS], stream=True),
    Script(["pace 0.001", "repeat 40 MARKed "], stream=True),
    Script(["pace 0.005", *_TOOLS], stream=True),
    Script(["pause 0.01", "repeat 12 MARKed ", *_TOOLS], stream=False),
)


@dataclass
class Clients:
    """They ask one gateway; `sent` counts requests, `heads` answers begun, `claims` is what is not yet looked up."""

    dialect: Dialect
    key: str
    sent: int = 0
    heads: int = 0
    complete: int = 0
    tools: int = 0
    claims: list[Claim] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)

    async def call(self, pool: Pool, number: int, pause: float = 0.0, scripts: Sequence[Script] = SCRIPTS) -> None:
        """One client: one call after the other, `pause` seconds between, until the connection breaks."""
        connection = await pool.open()
        for script in itertools.islice(itertools.cycle(scripts), number, None):
            if connection.closed:
                return
            request = Requests(script, self.dialect, MODEL, self.key).next()
            self.sent += 1
            try:
                await connection.call(request)
            except CallFailed:
                return
            finally:
                self._claim(connection, script)
            await asyncio.sleep(pause)

    def _claim(self, connection: Connection, script: Script) -> None:
        reply = connection.reply
        if not reply.call_id:
            return
        self.heads += 1
        body = bytes(reply.body)
        if reply.status != 200:
            self.violations.append(f"{reply.call_id} was answered with {reply.status}: {body[:200]!r}")
            return
        if script.stream:
            received = read_stream(self.dialect, body)
        else:
            received = read_whole(self.dialect, body) if reply.complete else Received()
        self.complete += received.complete
        self.tools += len(received.tools)
        self.claims.append(Claim(reply.call_id, script.stream, body, received))

    def take_claims(self) -> list[Claim]:
        claims, self.claims = self.claims, []
        return claims
