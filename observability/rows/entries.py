"""What a recorder hands to the writer, and the rows that come of it.

An entry is made on the event loop, in microseconds; its `add_to` runs in the writer's thread, where the hashing, the
splitting and the compression happen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from observability.credentials import without_credentials
from observability.text import clean, clean_name, clean_number, json_text
from policies.content import Block, ToolCall, Usage

from . import chain
from .attempts import Headers
from .batch import Batch
from .chain import NONCE_BYTES
from .statements import PAYLOADS
from .timings import Timings

Outcome = Literal[
    "open", "finished", "blocked", "refused", "upstream_error", "cut", "cancelled", "stalled", "interrupted"
]
_NONCES = [(slice(place * NONCE_BYTES, (place + 1) * NONCE_BYTES), name) for place, name in enumerate(PAYLOADS)]


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
class Opening:
    """A call begins. `digest` is of the request's body, once the writer has seen it; `recipe` is how to pack it, if so.

    One that `is_dropped` is not on record, and neither is what follows it.
    """

    facts: CallFacts
    policies: str
    process: str
    started_at: datetime
    nonces: bytes
    truncated: list[str]
    digest: bytes | None = None
    recipe: bytes = b""
    is_written: bool = False
    is_dropped: bool = False
    is_withheld: bool = False
    _row: dict[str, Any] | None = None

    @property
    def size(self) -> int:
        return len(self.facts.request_body)

    def add_to(self, batch: Batch) -> None:
        batch.open_call(self.row(batch) | {"opening_bodies": batch.packed([(0, self.recipe)])})
        self.is_written = True

    def forget(self) -> None:
        """Nothing of it was stored after all."""
        self.digest, self.is_written, self._row = None, False, None

    def withhold(self) -> None:
        """Leave the request's body out."""
        self.facts.request_body, self.is_withheld = b"", True

    def row(self, batch: Batch) -> dict[str, Any]:
        """The columns that an opening knows; made once."""
        if self._row is None:
            self._row = self._made_row(batch)
        return self._row

    def _made_row(self, batch: Batch) -> dict[str, Any]:
        facts = self.facts
        if not self.is_withheld:
            self.digest, self.recipe = batch.body(facts.id, facts.request_body, conversation(facts))
        return {
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
            "request_headers": json_text(without_credentials(facts.request_headers)),
            "request_original": self.digest,
            "nonces": self.nonces,
            "commitments": b"",
            "truncated": json_text(self.truncated),
            "process": self.process,
            "opening_bodies": None,
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
            "arguments": None,
            "released_at_ms": at_ms,
        }
        return cls(row, called.arguments_text.encode("utf-8", "surrogatepass") if called else None)

    @property
    def size(self) -> int:
        return len(self.arguments or b"")

    def add_to(self, batch: Batch, call_id: str) -> None:
        if self.arguments is not None:
            self.row["content"], packed = batch.body(call_id, self.arguments)
            self.row["arguments"] = self.arguments if packed else None
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
    """The end of a call. `blocks` and `decisions` are all of them, in order; what is `unsent` is not yet written.

    `size` is about that of its bodies in bytes.
    """

    opening: Opening
    closed_at: datetime
    outcome: Outcome
    fields: dict[str, Any]
    usage: Usage | None
    timings: Timings
    forwarded: bytes | None
    original: list[bytes]
    final: list[bytes]
    size: int
    blocks: list[dict[str, Any]]
    decisions: list[dict[str, Any]]
    unsent_blocks: list[ReleasedBlock] = field(default_factory=list)
    unsent: list[dict[str, Any]] = field(default_factory=list)
    is_whole: bool = False

    @property
    def process(self) -> str:
        return self.opening.process

    def add_to(self, batch: Batch) -> None:
        opening, fields, usage, timings = self.opening, self.fields, self.usage, self.timings
        call_id = opening.facts.id
        self.is_whole = not opening.is_written
        row = {
            **opening.row(batch),
            **fields,
            "closed_at": self.closed_at,
            "outcome": self.outcome,
            "response_headers": json_text(without_credentials(fields["response_headers"])),
            "attempts": json_text(fields["attempts"]),
            "notes": json_text(fields["notes"]),
            "truncated": json_text(fields["truncated"]),
            "input_tokens": clean_number(usage.input_tokens) if usage else None,
            "output_tokens": clean_number(usage.output_tokens) if usage else None,
            "cache_read_tokens": clean_number(usage.cache_read_tokens) if usage else None,
            "cache_write_tokens": clean_number(usage.cache_write_tokens) if usage else None,
            "upstream_head_ms": timings.upstream_head,
            "first_event_ms": timings.first_event,
            "total_ms": timings.total,
            "hold_ms": timings.hold,
            "overhead_ms": timings.overhead,
        }
        self._add_payloads(batch, row)
        row["commitments"] = commitments(row, self.decisions)
        for block in self.unsent_blocks:
            block.add_to(batch, call_id)
        batch.add_decisions(call_id, self.unsent)
        if self.is_whole:
            batch.whole_call(row, self.blocks, self.decisions)
            opening.is_written = True
        else:
            batch.close_call(row, self.blocks, self.decisions)

    def told(self) -> dict[str, Any]:
        """What those who watch are told of the end: by columns of the record."""
        usage, fields = self.usage, self.fields
        return {
            "outcome": self.outcome,
            "status": fields["status"],
            "total_ms": self.timings.total,
            "input_tokens": clean_number(usage.input_tokens) if usage else None,
            "output_tokens": clean_number(usage.output_tokens) if usage else None,
            "cost_microdollars": fields["cost_microdollars"],
            "changed_request": fields["changed_request"],
            "changed_response": fields["changed_response"],
        }

    def forget(self) -> None:
        """Nothing of it was stored after all."""
        if self.is_whole:
            self.opening.forget()

    def _add_payloads(self, batch: Batch, row: dict[str, Any]) -> None:
        """Store the bodies; what passed unchanged is looked at once."""
        facts, sent = self.opening.facts, self.forwarded
        came = said = given = b""
        row["request_final"] = row["request_original"]
        if sent is None:
            row["request_final"] = None
        elif sent is not facts.request_body and sent != facts.request_body:
            base = None if self.opening.is_withheld else (row["request_original"], facts.request_body)
            row["request_final"], came = batch.body(facts.id, sent, conversation(facts), base)
        original, final = b"".join(self.original), b"".join(self.final)
        row["response_original"] = row["response_final"] = None
        if original:
            row["response_original"], said = batch.body(facts.id, original)
        if final == original:
            row["response_final"] = row["response_original"]
        elif final:
            # A small one needs no base: what it has in common with the original is compressed away.
            alike = (row["response_original"], original) if original and not said else None
            row["response_final"], given = batch.body(facts.id, final, base=alike)
        asked = self.opening.recipe if self.is_whole else b""  # what is written at once is packed at once
        row["closing_bodies"] = batch.packed([(0, asked), (1, came), (2, said), (3, given)])


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


def commitments(row: Mapping[str, Any], decisions: Iterable[Mapping[str, Any]]) -> bytes:
    """What a call's leaf says of its four payloads and of what else it hides, one after the other."""
    nonces = row["nonces"]
    bodies = [chain.commit(nonces[part], row[name]) for part, name in _NONCES]
    return b"".join((*bodies, chain.commit(nonces, chain.hidden_digest(row, decisions))))


def conversation(facts: CallFacts) -> str:
    """The name under which bodies are compared with earlier ones."""
    return f"{facts.key}\0{facts.session}"
