"""What happened: calls with their blocks and verdicts, the bytes they consist of, and changes by people.

Call records, blocks, decisions and blobs are written by `recording/` alone, in SQL; here they are declared and read.
"""

from __future__ import annotations

from django.db import models

from .fields import JsonText
from .jobs.models import Job as Job
from .jobs.models import JobState as JobState
from .jobs.models import Turn as Turn
from .jobs.models import Worker as Worker
from .processes import Process as Process
from .reports.models import Report as Report
from .retention.models import LegalHold as LegalHold
from .retention.models import RetentionPeriod as RetentionPeriod
from .reviews.models import Review as Review
from .search.entry import SearchEntry as SearchEntry
from .sessions.models import SessionCall as SessionCall
from .sessions.models import SessionSummary as SessionSummary


class Outcome(models.TextChoices):
    OPEN = "open"
    FINISHED = "finished"
    BLOCKED = "blocked"
    REFUSED = "refused"
    UPSTREAM_ERROR = "upstream_error"
    CUT = "cut"
    CANCELLED = "cancelled"
    STALLED = "stalled"
    INTERRUPTED = "interrupted"


class Chained(models.Model):
    """A row that is a leaf of a hash chain. The columns are empty until the row is final.

    `boot_id` names the chain: the process that wrote the row, or `audit`. `sequence` counts its leaves from 1, `leaf`
    is SHA-256 over what the row says, `chain` SHA-256 over the chain before it and the leaf.
    """

    boot_id = models.TextField(default="", editable=False)
    sequence = models.BigIntegerField(null=True, editable=False)
    leaf = models.BinaryField(null=True, editable=False)
    chain = models.BinaryField(null=True, editable=False)

    class Meta:
        abstract = True


class CallRecord(Chained):
    """One client request and all that came of it. Names are text, so that the record outlives what they name.

    Times ending in `_ms` are milliseconds since `started_at`, but `hold_ms` and `overhead_ms`, which are spans: how
    long policies held the answer, and what Luthien itself took. The four payload columns are SHA-256 digests of bodies,
    which are blobs, or stand in the row itself (packing.py) where they are small.
    The leaf covers only `commitments`, SHA-256 of nonce and digest for each, so that both can be erased and the chain
    still verifies.
    `upstream_dialect` is empty where the provider speaks the client's. `process` is the boot id of the gateway process
    that serves the call. `trace_id` is of the call's span, 32 hexadecimal digits; empty where calls are not traced.
    """

    id = models.TextField(primary_key=True)
    key = models.TextField()
    team = models.TextField()
    session = models.TextField()
    model = models.TextField()
    dialect = models.TextField()
    path = models.TextField()
    streamed = models.BooleanField()
    started_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    provider = models.TextField(default="")
    upstream_model = models.TextField(default="")
    upstream_dialect = models.TextField(default="")
    outcome = models.TextField(choices=Outcome.choices, default=Outcome.OPEN)
    status = models.IntegerField(null=True)
    error_kind = models.TextField(default="")
    error_message = models.TextField(default="")
    input_tokens = models.BigIntegerField(null=True)
    output_tokens = models.BigIntegerField(null=True)
    cache_read_tokens = models.BigIntegerField(null=True)
    cache_write_tokens = models.BigIntegerField(null=True)
    cost_microdollars = models.BigIntegerField(null=True)
    upstream_head_ms = models.FloatField(null=True)
    first_event_ms = models.FloatField(null=True)
    total_ms = models.FloatField(null=True)
    hold_ms = models.FloatField(null=True)
    overhead_ms = models.FloatField(null=True)
    changed_request = models.BooleanField(default=False)
    changed_response = models.BooleanField(default=False)
    released_bytes = models.BigIntegerField(default=0)
    policies = models.TextField(default="")
    trace_id = models.TextField(default="")
    snapshot = models.BigIntegerField()
    request_headers = JsonText(default=list)
    response_headers = JsonText(default=list)
    attempts = JsonText(default=list)
    notes = JsonText(default=list)
    truncated = JsonText(default=list)
    request_original = models.BinaryField(null=True)
    request_final = models.BinaryField(null=True)
    response_original = models.BinaryField(null=True)
    response_final = models.BinaryField(null=True)
    nonces = models.BinaryField(default=b"")
    commitments = models.BinaryField(default=b"")
    process = models.TextField(default="")
    opening_bodies = models.BinaryField(null=True)
    closing_bodies = models.BinaryField(null=True)
    bodies_hidden = False
    """Whether hiding.py took out, of this copy, all that people and models said."""

    class Meta:
        ordering = ["-started_at", "-id"]
        # Read from their ends, where what is new is added most cheaply and leaves no page half empty.
        indexes = [
            models.Index(fields=["started_at", "id"], name="call_newest"),
            models.Index(fields=["team", "started_at", "id"], name="call_team"),
            models.Index(fields=["key", "started_at", "id"], name="call_key"),
            models.Index(fields=["session", "started_at", "id"], name="call_session"),
            # Most calls finish: whoever looks for those finds them among the newest.
            models.Index(
                fields=["outcome", "started_at", "id"], name="call_outcome", condition=~models.Q(outcome="finished")
            ),
        ]
        permissions = [("view_body", "Can see what is said in calls")]

    def __str__(self) -> str:
        return self.id


class Block(models.Model):
    """A block that was released to the client, on record before it was. `content` is the SHA-256 of a tool call's
    arguments as released, and `arguments` the bytes where they are few; else they are a blob. Insert-only."""

    pk = models.CompositePrimaryKey("call_id", "position")
    call = models.ForeignKey(CallRecord, models.CASCADE, related_name="blocks", db_constraint=False, db_index=False)
    position = models.IntegerField()
    kind = models.TextField()
    tool_name = models.TextField(default="")
    tool_call_id = models.TextField(default="")
    content = models.BinaryField(null=True)
    released_at_ms = models.FloatField()
    arguments = models.BinaryField(null=True)

    class Meta:
        ordering = ["call_id", "position"]


class Decision(Chained):
    """A verdict of a policy, as `policies.verdicts.Decision` says it. Insert-only.

    One that came after the end of the call is `late`, and a leaf of its own; the others are part of their call's leaf.
    """

    pk = models.CompositePrimaryKey("call_id", "position")
    call = models.ForeignKey(CallRecord, models.CASCADE, related_name="decisions", db_constraint=False, db_index=False)
    position = models.IntegerField()
    policy = models.TextField()
    version = models.IntegerField()
    mode = models.TextField()
    hook = models.TextField()
    block = models.TextField()
    action = models.TextField()
    reason = models.TextField(default="")
    at_ms = models.FloatField()
    took_ms = models.FloatField()
    score = models.FloatField(null=True)
    evidence = JsonText(null=True)
    late = models.BooleanField(default=False)

    class Meta:
        ordering = ["call_id", "position"]
        indexes = [
            models.Index(fields=["policy", "action", "call_id"], name="decision_policy"),
            models.Index(
                fields=["call_id", "policy"],
                condition=models.Q(action="failed_open", mode="enforce"),
                name="decision_failed_open",
            ),
        ]


class OutboxEntry(models.Model):
    """A decision that somebody may want to be told of, until it was looked at.

    It comes with the decision, in one transaction, so that no notification is lost. Should a transaction of the journal
    run twice, it may come again.
    """

    pk = models.CompositePrimaryKey("call_id", "position")
    call_id = models.TextField()
    position = models.IntegerField()


class Blob(models.Model):
    """Bytes by their SHA-256. `data` is zstd of the bytes, or of a recipe that makes them from others (recipes.py).

    `touched_at` moves whenever a writer counts on the blob being there; a blob untouched for a day that nothing refers
    to may go.
    """

    digest = models.BinaryField(primary_key=True)
    recipe = models.BooleanField()
    data = models.BinaryField()
    size = models.BigIntegerField()
    touched_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["touched_at"], name="blob_touched")]


class BlobReference(models.Model):
    """`target` is needed by `source`: a recipe's digest, or a call's id in UTF-8."""

    pk = models.CompositePrimaryKey("target", "source")
    target = models.BinaryField()
    source = models.BinaryField()


class AuditEvent(Chained):
    """Something a person or a command did: who (`actor`), what (`action`), to what (`subject`). Insert-only.

    `commits` is for machines: the leaves of rows that the event vouches for (policy_rows.py), or a signed tombstone.
    """

    at = models.DateTimeField()
    actor = models.TextField()
    action = models.TextField()
    subject = models.TextField()
    detail = JsonText(default=dict)
    commits = JsonText(default=dict)

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["-at", "-id"], name="audit_newest"),
            models.Index(fields=["subject", "-at", "-id"], name="audit_subject"),
        ]
        constraints = [models.UniqueConstraint(fields=["boot_id", "sequence"], name="audit_sequence")]

    def __str__(self) -> str:
        return f"{self.actor}: {self.action} {self.subject}"


class ChainHead(models.Model):
    """Where a chain stands, as those say who extend it; of a process, as of its last heartbeat.

    Many processes extend the chain of audit events; its row is the lock that orders them. `sealed` is the leaf that the
    last seal of it names, 0 for none, and `sealed_chain` the chain's value there. `settled`: the process is gone, and
    what it wrote after its last heartbeat was looked for.
    """

    name = models.TextField(primary_key=True)
    sequence = models.BigIntegerField(default=0)
    chain = models.BinaryField(default=bytes)
    sealed = models.BigIntegerField(default=0)
    sealed_chain = models.BinaryField(default=bytes)
    settled = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.name


class Seal(models.Model):
    """A signature over where all chains stood (sealing/statement.py), as the line that log and anchor have too.

    Insert-only; that a number comes once is the lock by which only one process seals.
    """

    number = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    line = models.TextField()

    class Meta:
        ordering = ["number"]

    def __str__(self) -> str:
        return str(self.number)
