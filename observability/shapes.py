"""Call records as the debug API's JSON; the keys are a contract."""

from __future__ import annotations

import base64
from typing import Any

import orjson

from . import queries
from .bodies.recipes import PayloadDamaged
from .exporters.base import REDACTED
from .models import CallRecord, Decision

Json = dict[str, Any]


def summary(record: CallRecord, words: bool = True) -> Json:
    """A call as a line of a list; without `words`, without what people and models may have put there."""
    return {
        "id": record.pk,
        "outcome": record.outcome,
        "key": record.key,
        "team": record.team,
        "session": record.session,
        "model": record.model,
        "dialect": record.dialect,
        "path": record.path if words else record.path.partition("?")[0],
        "streamed": record.streamed,
        "provider": record.provider,
        "upstream_model": record.upstream_model,
        "upstream_dialect": record.upstream_dialect or record.dialect,
        "status": record.status,
        "error": {"kind": record.error_kind, "message": record.error_message if words else REDACTED}
        if record.error_kind
        else None,
        "changed": {"request": record.changed_request, "response": record.changed_response},
        "policies": record.policies,
        "trace_id": record.trace_id,
        "started_at": record.started_at.isoformat(),
        "closed_at": record.closed_at.isoformat() if record.closed_at else None,
        "usage": _usage(record),
        "timings": _timings(record),
    }


def detail(record: CallRecord) -> Json:
    """A call whole, with its bodies: parsed where they are JSON, else as text."""
    return {
        **summary(record),
        "bodies_hidden": record.bodies_hidden,
        "snapshot": record.snapshot,
        "request": {
            "headers": record.request_headers,
            "changed": record.changed_request,
            "original": _body(record, "request_original"),
            "final": _body(record, "request_final"),
        },
        "response": {
            "status": record.status,
            "headers": record.response_headers,
            "changed": record.changed_response,
            "released_bytes": record.released_bytes,
            "original": _body(record, "response_original"),
            "final": _body(record, "response_final"),
        },
        "truncated": record.truncated,
        "attempts": record.attempts,
        "notes": record.notes,
        "blocks": [
            {"kind": block.kind, "name": block.tool_name, "id": block.tool_call_id, "at": block.released_at_ms}
            for block in record.blocks.all()
        ],
        "verdicts": [verdict(decision) for decision in record.decisions.all()],
    }


def verdict(decision: Decision) -> Json:
    """A decision as the API says it."""
    return {
        "policy": decision.policy,
        "version": decision.version,
        "mode": decision.mode,
        "hook": decision.hook,
        "block": decision.block,
        "action": decision.action,
        "reason": decision.reason,
        "at": decision.at_ms,
        "ms": decision.took_ms,
        "score": decision.score,
        "evidence": decision.evidence,
        "late": decision.late,
    }


def _usage(record: CallRecord) -> Json:
    return {
        "input_tokens": record.input_tokens,
        "output_tokens": record.output_tokens,
        "cache_read_tokens": record.cache_read_tokens,
        "cache_write_tokens": record.cache_write_tokens,
        "cost_microdollars": record.cost_microdollars,
    }


def _timings(record: CallRecord) -> Json:
    return {
        "upstream_head_ms": record.upstream_head_ms,
        "first_event_ms": record.first_event_ms,
        "total_ms": record.total_ms,
        "hold_ms": record.hold_ms,
        "overhead_ms": record.overhead_ms,
    }


def _body(record: CallRecord, name: str) -> Any:
    try:
        raw = queries.payload(record, name)
    except PayloadDamaged as error:
        return {"damaged": str(error)}
    if raw is None:
        return None
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        pass
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(raw).decode()}
