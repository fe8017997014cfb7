"""The leaves and links of the record's chain: what they cover, and what they do not depend on."""

import hashlib
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from observability.rows.chain import (
    AUDIT_FIELDS,
    BLOCK_FIELDS,
    CALL_FIELDS,
    DECISION_FIELDS,
    HIDDEN_FIELDS,
    HIDDEN_OF_DECISIONS,
    JSON_FIELDS,
    NOTHING,
    START,
    Chain,
    audit_leaf,
    call_leaf,
    commit,
    hidden_digest,
    late_leaf,
)

CALL: dict[str, Any] = {name: [] if name in JSON_FIELDS else f"the {name}" for name in CALL_FIELDS}
CALL["nonces"] = b"nonces"
BLOCK: dict[str, Any] = {name: f"the {name}" for name in BLOCK_FIELDS} | {"content": b"a digest"}
DECISION: dict[str, Any] = {name: f"the {name}" for name in DECISION_FIELDS}
HIDDEN = hidden_digest(CALL, [DECISION])
LEAF = call_leaf(CALL, [BLOCK], [DECISION])


def test_a_link_is_the_hash_over_the_one_before_and_the_leaf() -> None:
    chain = Chain("boot_1")
    first, second = chain.extend(b"one"), chain.extend(b"two")
    assert first == ("boot_1", 1, b"one", hashlib.sha256(START + b"one").digest())
    assert second == ("boot_1", 2, b"two", hashlib.sha256(first.chain + b"two").digest())


def test_what_was_not_committed_can_be_undone() -> None:
    chain = Chain("boot_1")
    mark = chain.mark()
    first = chain.extend(b"one")
    chain.rewind(mark)
    assert chain.extend(b"one") == first


@pytest.mark.parametrize("name", CALL_FIELDS)
def test_a_leaf_or_what_it_hides_covers_every_field_of_a_call(name: str) -> None:
    changed = {**CALL, name: ["another"]}
    hidden = hidden_digest(changed, [DECISION]) != HIDDEN
    assert hidden == (name in HIDDEN_FIELDS)
    assert (call_leaf(changed, [BLOCK], [DECISION]) != LEAF) == (not hidden)


def test_a_leaf_covers_every_field_of_blocks_and_decisions_and_their_number() -> None:
    others = [call_leaf(CALL, [{**BLOCK, name: b"another"}], [DECISION]) for name in BLOCK_FIELDS]
    plain = [name for name in DECISION_FIELDS if name not in HIDDEN_OF_DECISIONS]
    others += [call_leaf(CALL, [BLOCK], [{**DECISION, name: "another"}]) for name in plain]
    others += [call_leaf(CALL, [], [DECISION]), call_leaf(CALL, [BLOCK], []), call_leaf(CALL, [BLOCK] * 2, [DECISION])]
    assert LEAF not in others
    assert len(set(others)) == len(others)


def test_what_verdicts_say_is_hidden_and_covered() -> None:
    changed = [{**DECISION, name: "another"} for name in HIDDEN_OF_DECISIONS]
    assert HIDDEN not in {hidden_digest(CALL, decisions) for decisions in ([], [changed[0]], [changed[1]])}
    assert {call_leaf(CALL, [BLOCK], [decision]) for decision in changed} == {LEAF}
    assert hidden_digest(CALL, [{**DECISION, "evidence": None}]) != HIDDEN


def test_columns_that_say_the_same_have_the_same_leaf() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    given: dict[str, Any] = {"closed_at": moment, "commitments": b"\1\2", "attempts": [{"b": 1, "a": None}]}
    read: dict[str, Any] = {
        "closed_at": moment.astimezone(timezone(timedelta(hours=5))),
        "commitments": memoryview(b"\1\2"),
        "attempts": '[{"a":null,"b":1}]',
    }
    assert call_leaf(CALL | given, [], []) == call_leaf(CALL | read, [], [])
    assert hidden_digest(CALL | given, []) == hidden_digest(CALL | read, [])


def test_a_late_verdict_is_bound_to_its_call() -> None:
    assert late_leaf("call_1", DECISION) != late_leaf("call_2", DECISION)
    assert late_leaf("call_1", DECISION) != late_leaf("call_1", {**DECISION, "action": "block"})


@pytest.mark.parametrize("name", AUDIT_FIELDS)
def test_an_audit_leaf_covers_every_field(name: str) -> None:
    event = dict.fromkeys(AUDIT_FIELDS, "x")
    assert audit_leaf(event) != audit_leaf({**event, name: "y"})


def test_a_commitment_hides_its_digest_behind_the_nonce() -> None:
    assert commit(b"n", b"d") == hashlib.sha256(b"nd").digest() != commit(b"m", b"d")
    assert commit(b"n", None) == NOTHING


def test_what_no_row_holds_cannot_stand_in_a_leaf() -> None:
    with pytest.raises(TypeError, match="set"):
        audit_leaf({**dict.fromkeys(AUDIT_FIELDS, "x"), "detail": {1}})
