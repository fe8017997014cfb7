"""What a recorder hands to the writer, and the rows that come of it.

An entry is made on the event loop, in microseconds; its `add_to` runs in the writer's thread, where the hashing, the
splitting and the compression happen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from policies.content import Block, ToolCall, Usage

from . import chain
from .batch import Batch
from .chain import NONCE_BYTES
from .text import clean, clean_name, clean_number, plain

Headers = Sequence[tuple[str, str]]
PAYLOADS = ("request_original", "request_final", "response_original", "response_final")

_OPEN: dict[str, Any] = {
    "closed_at": None, "provider": "", "upstream_model": "", "upstream_dialect": "", "outcome": "open", "status": None,
    "error_kind": "", "error_message": "", "input_tokens": None, "output_tokens": None, "cache_read_tokens": None,
    "cache_write_tokens": None, "cost_microdollars": None, "upstream_head_ms": None, "first_event_ms": None,
    "total_ms": None, "hold_ms": None, "overhead_ms": None, "changed_request": False, "changed_response": False,
    "released_bytes": 0, "policies": "", "response_headers": [], "attempts": [], "notes": [], "truncated": [],
    "request_final": None, "response_original": None, "response_final": None, "commitments": b"",
    "boot_id": "", "sequence": None, "leaf": None, "chain": None,
}  # fmt: skip
"""What a call's row says of what is not known yet."""


@dataclass(slots=True)
class CallFacts:
    """What is known of a call when it begins. `snapshot` is the number of the policies in force."""

    id: str
    key: str
    team: str
    session: str
    model: str
    dialect: str
    path: str
    streamed: bool
    request_headers: Headers
    request_body: bytes
    snapshot: int


@dataclass(slots=True)
class Timings:
    """Milliseconds; None where the call did not come to that."""

    upstream_head: float | None = None
    first_event: float | None = None
    total: float | None = None
    hold: float | None = None
    overhead: float | None = None


@dataclass(slots=True)
class Opening:
    """A call begins. `digest` is of the request's body, once the writer has seen it."""

    facts: CallFacts
    policies: str
    process: str
    started_at: datetime
    nonces: bytes
    truncated: list[str]
    digest: bytes | None = None

    @property
    def size(self) -> int:
        return len(self.facts.request_body)

    def add_to(self, batch: Batch) -> None:
        batch.open_call(self.row(batch))

    def forget(self) -> None:
        """The body was not stored after all."""
        self.digest = None

    def row(self, batch: Batch) -> dict[str, Any]:
        facts = self.facts
        if self.digest is None:
            self.digest = batch.payload(facts.id, facts.request_body, conversation(facts))
        return {
            **_OPEN,
            "id": facts.id,
            "key": clean_name(facts.key),
            "team": clean_name(facts.team),
            "session": clean_name(facts.session),
            "model": clean_name(facts.model),
            "dialect": facts.dialect,
            "path": clean(facts.path),
            "streamed": facts.streamed,
            "started_at": self.started_at,
            "snapshot": facts.snapshot,
            "policies": clean(self.policies),
            "request_headers": plain(list(facts.request_headers)),
            "request_original": self.digest,
            "nonces": self.nonces,
            "truncated": self.truncated,
            "process": self.process,
        }


@dataclass(slots=True)
class ReleasedBlock:
    """A block that is about to be released. `arguments` are a tool call's; other kinds have none."""

    row: dict[str, Any]
    arguments: bytes | None

    @classmethod
    def of(cls, block: Block, position: int, at_ms: float) -> ReleasedBlock:
        called = block if isinstance(block, ToolCall) else None
        row = {
            "position": position,
            "kind": block.kind,
            "tool_name": clean_name(called.name) if called else "",
            "tool_call_id": clean_name(called.id) if called else "",
            "content": None,
            "released_at_ms": at_ms,
        }
        return cls(row, called.arguments_text.encode("utf-8", "surrogatepass") if called else None)

    @property
    def size(self) -> int:
        return len(self.arguments or b"")

    def add_to(self, batch: Batch, call_id: str) -> None:
        if self.arguments is not None:
            self.row["content"] = batch.payload(call_id, self.arguments)
        batch.add_block(call_id, self.row)


@dataclass(slots=True)
class Checkpoint:
    """Blocks that are about to be released, and the decisions up to here."""

    call_id: str
    process: str
    blocks: list[ReleasedBlock]
    decisions: list[dict[str, Any]]

    @property
    def size(self) -> int:
        return sum(block.size for block in self.blocks)

    def add_to(self, batch: Batch) -> None:
        for block in self.blocks:
            block.add_to(batch, self.call_id)
        batch.add_decisions(self.call_id, self.decisions)


@dataclass(slots=True)
class Closing:
    """The end of a call. `blocks` and `decisions` are all of them, in order; what is `unsent` is not yet written."""

    opening: Opening
    closed_at: datetime
    outcome: str
    fields: dict[str, Any]
    usage: Usage | None
    timings: Timings
    forwarded: bytes | None
    original: list[bytes]
    final: list[bytes]
    blocks: list[dict[str, Any]]
    decisions: list[dict[str, Any]]
    unsent_blocks: list[ReleasedBlock] = field(default_factory=list)
    unsent: list[dict[str, Any]] = field(default_factory=list)

    @property
    def process(self) -> str:
        return self.opening.process

    @property
    def size(self) -> int:
        blocks = sum(block.size for block in self.unsent_blocks)
        return sum(map(len, self.original)) + sum(map(len, self.final)) + len(self.forwarded or b"") + blocks

    def add_to(self, batch: Batch) -> None:
        call_id = self.opening.facts.id
        row = {
            **self.opening.row(batch),
            **self.fields,
            **self._payloads(batch),
            **_usage_columns(self.usage),
            "closed_at": self.closed_at,
            "outcome": self.outcome,
            "upstream_head_ms": self.timings.upstream_head,
            "first_event_ms": self.timings.first_event,
            "total_ms": self.timings.total,
            "hold_ms": self.timings.hold,
            "overhead_ms": self.timings.overhead,
        }
        row["commitments"] = commitments(row)
        for block in self.unsent_blocks:
            block.add_to(batch, call_id)
        batch.add_decisions(call_id, self.unsent)
        batch.close_call(row, self.blocks, self.decisions)

    def forget(self) -> None:
        """The bodies were not stored after all."""
        self.opening.forget()

    def _payloads(self, batch: Batch) -> dict[str, bytes | None]:
        opening = self.opening
        call_id, session, request = opening.facts.id, conversation(opening.facts), opening.digest
        if self.forwarded is not None and self.forwarded != opening.facts.request_body:
            final_request: bytes | None = batch.payload(call_id, self.forwarded, session)
        else:
            final_request = None if self.forwarded is None else request
        original, final = b"".join(self.original), b"".join(self.final)
        first = batch.payload(call_id, original) if original else None
        second = first if original == final else (batch.payload(call_id, final) if final else None)
        return {
            "request_original": request,
            "request_final": final_request,
            "response_original": first,
            "response_final": second,
        }


@dataclass(slots=True)
class Late:
    """A decision that came after its call was closed."""

    call_id: str
    process: str
    decision: dict[str, Any]
    size: int = 0

    def add_to(self, batch: Batch) -> None:
        batch.add_late(self.call_id, self.decision)


Entry = Opening | Checkpoint | Closing | Late


def commitments(row: dict[str, Any]) -> bytes:
    """What a call's leaf says of its four payloads, one after the other."""
    nonces = row["nonces"]
    return b"".join(
        chain.commit(nonces[index * NONCE_BYTES : (index + 1) * NONCE_BYTES], row[name])
        for index, name in enumerate(PAYLOADS)
    )


def conversation(facts: CallFacts) -> str:
    """The name under which bodies are compared with earlier ones."""
    return f"{facts.key}\0{facts.session}"


def _usage_columns(usage: Usage | None) -> dict[str, int | None]:
    if usage is None:
        return {}
    return {
        "input_tokens": clean_number(usage.input_tokens),
        "output_tokens": clean_number(usage.output_tokens),
        "cache_read_tokens": clean_number(usage.cache_read_tokens),
        "cache_write_tokens": clean_number(usage.cache_write_tokens),
    }
