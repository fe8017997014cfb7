"""The lines of a report's record.jsonl: what each call or event is on record, with its leaf and its place. Pure.

A leaf says of a body, and of what else may quote people or models, only a commitment: SHA-256 of a nonce and a digest.
So a call whose contents are not shown is proven all the same, and whoever gets a body and its nonce later can prove
that it is the one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from observability.exporters.base import Fields, RecordedCall
from observability.rows.chain import (
    AUDIT_FIELDS,
    BLOCK_FIELDS,
    CALL_FIELDS,
    DECISION_FIELDS,
    HIDDEN_FIELDS,
    HIDDEN_OF_DECISIONS,
    NONCE_BYTES,
    audit_leaf,
    call_leaf,
    commit,
    hidden_digest,
    late_leaf,
    plain,
)
from observability.rows.statements import PAYLOADS

Json = dict[str, Any]
Bodies = Mapping[str, bytes | str | None]
"""By payload: its bytes, None where there is none, or a sentence that says why they cannot be had."""
_DIGEST = 32


class Place(NamedTuple):
    """A leaf, and where it stands: the chain's name, the leaf's number in it, the chain's value there."""

    chain: str
    sequence: int
    value: bytes
    leaf: bytes


@dataclass(frozen=True, slots=True)
class Checked:
    """What a line says, looked at. `problem` is empty where its leaf and its bodies are what they should be."""

    name: str
    places: tuple[Place, ...] = ()
    problem: str = ""
    shown: int = 0
    redacted: int = 0
    kind: str = "call"


def dumped(line: Json) -> bytes:
    """The line as it stands in the file, its end included."""
    return orjson.dumps(line, default=plain, option=orjson.OPT_PASSTHROUGH_DATETIME) + b"\n"


def call_line(call: RecordedCall, *, whole: bool = True, bodies: Bodies | None = None, redacted: bool = False) -> Json:
    """A call: its place alone, or all that its leaf says where it is `whole`.

    `bodies` are given where the contents of the call are to be shown; `redacted` says that they were asked for, and
    that who asked may not see them.
    """
    row = call.row
    if not whole:
        return {"call": row["id"], **_place(row)}
    nonces, shown = bytes(row["nonces"]), bodies is not None
    line: Json = {
        "call": {name: row[name] for name in CALL_FIELDS if shown or name not in HIDDEN_FIELDS},
        "blocks": [_block(block, nonces) for block in call.blocks],
        "decisions": [_decision(each, shown) for each in call.decisions if not each["late"]],
        "late": [_late(each, shown) for each in call.decisions if each["late"]],
        **_place(row),
    }
    if bodies is not None:
        line["bodies"] = {name: _body(row[name], bodies.get(name)) for name in PAYLOADS if row[name] is not None}
        line["nonces"] = nonces
    if redacted:
        line["redacted"] = [name for name in PAYLOADS if row[name] is not None]
    return line


def event_line(event: Fields) -> Json:
    """An audit event."""
    return {"event": {name: event[name] for name in AUDIT_FIELDS}, **_place(event)}


def check(raw: bytes) -> Checked:
    """Recompute what a line can be held to."""
    try:
        line = orjson.loads(raw)
        if "event" in line:
            return _check_event(line)
        return _check_call(line) if isinstance(line["call"], dict) else Checked(line["call"], (_read_place(line),))
    except (KeyError, TypeError, ValueError, AttributeError, binascii.Error):
        return Checked("a line", problem="cannot be read")


def _check_event(line: Json) -> Checked:
    place = _read_place(line)
    problem = "" if audit_leaf(line["event"]) == place.leaf else "is not what its leaf says"
    return Checked(f"audit event {place.sequence}", (place,), problem, kind="event")


def _check_call(line: Json) -> Checked:
    call, place = line["call"], _read_place(line)
    bodies, redacted = line.get("bodies", {}), line.get("redacted", [])
    late = [(_read_place(each), each.get("decision")) for each in line["late"]]
    return Checked(
        f"call {call['id']}",
        (place, *(each for each, _ in late)),
        next(_wrong(line, place, late), ""),
        sum("sha256" in body for body in bodies.values()),
        len(redacted),
    )


def _wrong(line: Json, place: Place, late: Sequence[tuple[Place, Json | None]]) -> Iterator[str]:
    call = line["call"]
    if call_leaf(call | {"nonces": b""}, line["blocks"], line["decisions"]) != place.leaf:
        yield "is not what its leaf says"
    if any(said is not None and late_leaf(call["id"], said) != each.leaf for each, said in late):
        yield "has a late verdict that is not what its leaf says"
    if line.get("nonces"):
        yield from _wrong_contents(line, bytes.fromhex(line["nonces"]), bytes.fromhex(call["commitments"]))


def _wrong_contents(line: Json, nonces: bytes, commitments: bytes) -> Iterator[str]:
    if commit(nonces, hidden_digest(line["call"], line["decisions"])) != commitments[len(PAYLOADS) * _DIGEST :]:
        yield "has headers, notes or evidence that are not in its leaf"
    for number, name in enumerate(PAYLOADS):
        body = line["bodies"].get(name)
        if body is None or "sha256" not in body:
            continue
        digest = bytes.fromhex(body["sha256"])
        nonce = nonces[number * NONCE_BYTES : (number + 1) * NONCE_BYTES]
        if hashlib.sha256(_raw(body)).digest() != digest:
            yield f"has a {name} that is not what its digest says"
        elif commit(nonce, digest) != commitments[number * _DIGEST : (number + 1) * _DIGEST]:
            yield f"has a {name} whose digest is not in its leaf"


def _raw(body: Json) -> bytes:
    return body["text"].encode() if "text" in body else base64.b64decode(body["base64"], validate=True)


def _body(digest: bytes, raw: bytes | str | None) -> Json:
    if isinstance(raw, bytes):
        return {"sha256": bytes(digest), **_text(raw)}
    return {"missing": raw or "it is not there"}


def _text(raw: bytes) -> Json:
    try:
        return {"text": raw.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(raw).decode()}


def _block(block: Fields, nonces: bytes) -> Json:
    said = {name: block[name] for name in BLOCK_FIELDS}
    if said["content"] is not None and nonces:
        said["content"] = commit(nonces, bytes(said["content"]))
    return said


def _decision(decision: Fields, shown: bool) -> Json:
    return {name: decision[name] for name in DECISION_FIELDS if shown or name not in HIDDEN_OF_DECISIONS}


def _late(decision: Fields, shown: bool) -> Json:
    """The leaf of a late decision says all of it: it is shown, or its leaf stands alone."""
    return _place(decision) | ({"decision": _decision(decision, True)} if shown else {})


def _place(row: Fields) -> Json:
    return {"leaf": bytes(row["leaf"]), "place": [row["boot_id"], row["sequence"], bytes(row["chain"])]}


def _read_place(line: Json) -> Place:
    chain, sequence, value = line["place"]
    return Place(str(chain), int(sequence), bytes.fromhex(value), bytes.fromhex(line["leaf"]))
