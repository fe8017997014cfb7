"""What may be done to a recorded database beside changing a column, and the verification that finds it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import zstandard
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import models
from django.utils import timezone

from observability import audit
from observability.models import AuditEvent, Blob, Block, CallRecord, ChainHead, Decision, Seal
from observability.recording.recorder import CallRecorder
from observability.recording.writer import Writer
from observability.rows import chain
from observability.rows.chain import Chain
from observability.rows.statements import PAYLOADS
from observability.sealing.keys import signing_key
from observability.sealing.tombstones import Range, bury
from policies.models import Activation, Policy, PolicyVersion
from tests.observability.conftest import MakeWriter, make_facts
from tests.observability.recovery.test_orphans import die_in_mid_call
from tests.observability.verification.conftest import Verify, rows, whole_call

Rows = models.QuerySet[Any]


def test_what_was_recorded_holds(recorded: Writer, verify: Verify) -> None:
    report = verify(anchor=True, bodies=True)
    assert report.findings == []
    assert (report.calls.calls, report.calls.open, report.calls.verdicts) == (6, 1, 10)
    assert report.sealed == report.leaves == 6 + report.events
    assert report.policies == {"policy": 2, "policyversion": 3, "activation": 3}
    assert report.bodies and report.anchored == report.seals == 2


def first(verify: Verify, **options: Any) -> str:
    found = verify(**options).first
    assert found is not None
    return found.what


DELETIONS: list[tuple[Callable[[], Rows], str]] = [
    (lambda: rows(CallRecord, pk="call_2"), "leaf 3 of {boot} is gone, behind call call_1"),
    (lambda: rows(Block, call_id="call_2", position=0), "call call_2: was edited, or its blocks or verdicts were"),
    (lambda: rows(Decision, call_id="call_2", position=1), "call call_2: was edited, or its blocks or verdicts were"),
    (lambda: rows(Decision, call_id="call_late"), "leaf 6 of {boot} is gone, behind call call_late; seal 2 covers 6"),
    (lambda: rows(AuditEvent, sequence=3), "leaf 3 of audit is gone, behind audit event "),
    (lambda: rows(Activation, policy__name="ended"), "activation "),
    (lambda: rows(Seal, number=1), "seal 2: the one before it is gone"),
]


@pytest.mark.parametrize("place", range(len(DELETIONS)))
def test_a_deleted_row_is_named(recorded: Writer, verify: Verify, place: int) -> None:
    found, said = DELETIONS[place]
    assert models.QuerySet.delete(found())[0]
    findings = [finding.what for finding in verify().findings]
    assert any(finding.startswith(said.format(boot=recorded.boot_id)) for finding in findings), findings


def test_a_deleted_call_leaves_strays(recorded: Writer, verify: Verify) -> None:
    rows(CallRecord, pk="call_2")._raw_delete(using="default")
    findings = {finding.what for finding in verify().findings}
    assert {
        "block 0 of call call_2: there is no such call",
        "verdict 1 of call call_2: there is no such call",
    } <= findings


def test_calls_that_were_put_in_are_named(recorded: Writer, verify: Verify) -> None:
    call = CallRecord.objects.get(pk="call_2")
    call.pk = "call_forged"
    call.save(force_insert=True)
    assert "call call_forged: was edited" in "".join(finding.what for finding in verify().findings)
    rows(CallRecord, pk="call_forged").update(boot_id="", sequence=None, leaf=None, chain=None)
    assert first(verify) == "call call_forged: was put in or edited, it is in no chain"


def test_a_verdict_or_block_that_was_put_in_is_found(recorded: Writer, verify: Verify) -> None:
    for model in (Decision, Block):
        row = model._base_manager.filter(call_id="call_3").first()
        assert row is not None
        row.pk = ("call_3", 9)
        row.save(force_insert=True)
        assert "call call_3" in first(verify)
        rows(model, call_id="call_3", position=9).delete()
    assert verify().findings == []


def test_policy_rows_that_were_put_in_are_named(recorded: Writer, verify: Verify) -> None:
    policy = Policy(name="smuggled")
    models.Model.save(policy)
    version = PolicyVersion(policy=policy, number=1, registered_name="x", author="nobody")
    version.save()
    Activation(policy=policy, version=version, scope={}, author="nobody").save()
    found = [finding.what for finding in verify().findings]
    assert [what.partition(":")[2] for what in found] == [" was put in, no audit event knows of it"] * 3


def test_swapped_calls_are_found(recorded: Writer, verify: Verify) -> None:
    rows(CallRecord, pk="call_1").update(sequence=3)
    rows(CallRecord, pk="call_2").update(sequence=2)
    assert "does not follow what stands before it" in first(verify)


def test_a_chain_that_was_forged_from_an_edit_on_is_not_the_sealed_one(recorded: Writer, verify: Verify) -> None:
    call = CallRecord.objects.get(pk="call_2")
    CallRecord.objects.filter(pk="call_2").update(status=418)
    forge(recorded.boot_id)
    assert call.chain != CallRecord.objects.get(pk="call_2").chain
    assert "seal 2 covers something else" in first(verify)


def forge(boot_id: str) -> None:
    """Makes a chain anew over what its rows say now, as somebody with the code and the database can."""
    again = Chain(boot_id)
    late = list(Decision.objects.filter(boot_id=boot_id))
    found: list[CallRecord | Decision] = [*CallRecord.objects.filter(boot_id=boot_id), *late]
    for row in sorted(found, key=lambda row: row.sequence or 0):
        if isinstance(row, Decision):
            leaf = chain.late_leaf(row.call_id, {name: getattr(row, name) for name in chain.DECISION_FIELDS})
        else:
            values = {name: getattr(row, name) for name in (*chain.CALL_FIELDS, "nonces")}
            ours = row.decisions.filter(late=False).order_by("position").values()
            leaf = chain.call_leaf(values, list(row.blocks.order_by("position").values()), list(ours))
        link = again.extend(leaf)
        rows(type(row), pk=row.pk).update(leaf=link.leaf, chain=link.chain)


def test_an_end_that_was_cut_off_with_its_seals_is_found_by_the_anchor(
    recorded: Writer, verify: Verify, seal: Callable[[], None]
) -> None:
    audit.record(actor="ada", action="key.revoked", subject="ci")
    seal()
    AuditEvent.objects.filter(action="key.revoked").delete()
    ChainHead.objects.filter(name="audit").update(sequence=10, sealed=10)
    assert "seal 3 covers 11" in first(verify)
    Seal.objects.filter(number=3).delete()
    assert verify().findings == [], "what nobody else kept cannot be missed"
    assert "seal 3: the anchor has it" in first(verify, anchor=True)


def test_nothing_at_all_is_found_by_the_anchor(recorded: Writer, verify: Verify) -> None:
    for model in (Decision, Block, CallRecord, Activation, PolicyVersion, Policy, AuditEvent, Seal, ChainHead):
        models.QuerySet(model)._raw_delete(using="default")
    assert verify().findings == []
    assert "seal 1: the anchor has it" in first(verify, anchor=True)


def test_a_tail_that_nobody_sealed_is_pending_and_missed_where_it_was_published(
    recorded: Writer, verify: Verify, make_writer: MakeWriter
) -> None:
    audit.record(actor="ada", action="key.revoked")
    report = verify()
    assert (report.findings, report.leaves - report.sealed) == ([], 1)
    AuditEvent.objects.filter(action="key.revoked").delete()
    assert first(verify).endswith("the writer said that there are 11")


def test_tombstones_excuse_what_went_on_purpose(recorded: Writer, verify: Verify, seal: Callable[[], None]) -> None:
    gone, erased = CallRecord.objects.get(pk="call_1"), CallRecord.objects.get(pk="call_2")
    rows(CallRecord, pk="call_1").delete()
    erase(erased)
    found = [finding.what for finding in verify().findings]
    assert found == [
        "call call_2: its bodies are gone, and no tombstone says why",
        f"leaf 2 of {recorded.boot_id} is gone, behind call call_0",
    ]
    removed = bury("removed", [Range(gone.boot_id, 2, 2, bytes(gone.chain or b""))], signing_key())
    audit.record(actor="luthien", action="record.purged", commits=removed)
    audit.record(
        actor="luthien",
        action="record.erased",
        commits=bury("erased", [Range(erased.boot_id, 3, 3, b"")], signing_key()),
    )
    seal()
    report = verify(anchor=True, bodies=True)
    assert (report.findings, report.removed, report.calls.erased) == ([], 1, 1)


def erase(call: CallRecord) -> None:
    """What an erasure leaves of a call: its row, with commitments in place of digests."""
    for block in call.blocks.exclude(content=None):
        said = chain.commit(bytes(call.nonces), bytes(block.content or b""))
        rows(Block, call_id=call.pk, position=block.position).update(content=said, arguments=None)
    nothing = dict.fromkeys((*PAYLOADS, "opening_bodies", "closing_bodies"))
    rows(Decision, call_id=call.pk).update(reason="", evidence=None)
    rows(CallRecord, pk=call.pk).update(
        nonces=b"", error_message="", request_headers=[], response_headers=[], attempts=[], notes=[], **nothing
    )


def test_a_tombstone_of_somebody_elses_key_excuses_nothing(recorded: Writer, verify: Verify) -> None:
    call = CallRecord.objects.get(pk="call_1")
    CallRecord.objects.filter(pk="call_1").delete()
    ranges = [Range(call.boot_id, 2, 2, bytes(call.chain or b""))]
    audit.record(actor="luthien", action="record.purged", commits=bury("removed", ranges, Ed25519PrivateKey.generate()))
    found = " ".join(finding.what for finding in verify().findings)
    assert "its tombstone is not signed by a key that is trusted" in found
    assert f"leaf 2 of {call.boot_id} is gone" in found


def test_damaged_bodies_are_named(recorded: Writer, verify: Verify) -> None:
    blob = Blob.objects.filter(recipe=False).first()
    assert blob is not None
    data = bytes(blob.data)
    changes: list[Callable[[], object]] = [
        lambda: rows(Blob, pk=blob.pk).update(data=zstandard.compress(b"something else")),
        lambda: rows(Blob, pk=blob.pk).update(data=b"no zstd"),
        lambda: rows(Blob, pk=blob.pk).delete(),
    ]
    for change in changes:
        change()
        assert verify().findings == []
        assert f"blob {bytes(blob.pk).hex()}" in str(verify(bodies=True).findings)
    Blob.objects.create(digest=blob.pk, recipe=False, data=data, size=blob.size, touched_at=timezone.now())
    assert verify(bodies=True).findings == []
    rows(Blob, recipe=True).delete()
    assert first(verify, bodies=True) == "call call_1: request_original is damaged: its blob is gone"


def test_damaged_packs_are_named(recorded: Writer, verify: Verify) -> None:
    rows(CallRecord, pk="call_2").update(closing_bodies=CallRecord.objects.get(pk="call_late").opening_bodies)
    assert "call call_2: " in first(verify, bodies=True)
    rows(CallRecord, pk="call_2").update(closing_bodies=b"x")
    assert first(verify, bodies=True) == "call call_2: its bodies are damaged: a pack cannot be decompressed"


def test_two_writers_at_once_have_a_chain_each(
    make_writer: MakeWriter, verify: Verify, seal: Callable[[], None]
) -> None:
    one, two = make_writer(), make_writer()

    async def both() -> None:
        facts = [make_facts() for _ in range(60)]
        await asyncio.gather(*(whole_call(CallRecorder(each, (one, two)[n % 2])) for n, each in enumerate(facts)))

    asyncio.run(both())
    one.stop(60)
    two.stop(60)
    seal()
    report = verify(anchor=True)
    assert (report.findings, report.chains, report.sealed) == ([], 2, 60)


def test_a_clock_that_jumps_back_changes_the_order_of_rows_and_breaks_nothing(
    make_writer: MakeWriter, verify: Verify
) -> None:
    writer = make_writer()

    async def backwards() -> None:
        for number in reversed(range(20)):
            await whole_call(CallRecorder(make_facts(id=f"call_{number:02}"), writer))

    asyncio.run(backwards())
    assert verify().findings == []


def test_pages_of_calls_and_their_rows_fit_together(
    recorded: Writer, verify: Verify, monkeypatch: pytest.MonkeyPatch
) -> None:
    for size in (1, 2, 3, 6):
        monkeypatch.setattr("observability.verification.snapshot.PAGE", size)
        monkeypatch.setattr("observability.verification.calls.PAGE", size)
        report = verify()
        assert (report.findings, report.calls.calls, report.calls.verdicts) == ([], 6, 10)
    rows(CallRecord, pk="call_open")._raw_delete(using="default")
    assert "there is no such call" in str(verify().findings)


def test_of_many_findings_some_are_kept_and_all_are_counted(
    recorded: Writer, verify: Verify, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("observability.verification.run.MOST", 2)
    rows(CallRecord, sequence__isnull=False).update(error_message="x")
    report = verify()
    assert (len(report.findings), report.wrong) == (2, 5)


def test_what_a_killed_process_left_is_closed_sealed_and_whole(
    make_writer: MakeWriter, verify: Verify, seal: Callable[[], None]
) -> None:
    die_in_mid_call()
    assert verify().calls.open == 1
    adopter = make_writer(find_orphans=True)
    assert adopter.stop(10)
    seal()
    report = verify(anchor=True)
    assert (report.findings, report.calls.open, report.sealed) == ([], 0, 1)
