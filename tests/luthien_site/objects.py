"""One of each thing that a page may be of; what has a team belongs to the team payments."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import zstandard
from django.utils import timezone

from gateway.console.backtest.models import Backtest, BacktestCall
from gateway.models import Stop
from gateway.notifications.models import Delivery, Endpoint
from observability.bodies import packing, recipes
from observability.models import CallRecord, Job, JobState, LegalHold, Report
from policies import services

TEAM = "payments"
PK = 1000
BODY = b'{"model": "m", "messages": [{"role": "user", "content": "Hello"}]}'


def make() -> None:
    """All keys are PK, which nothing that a page makes will get."""
    now = timezone.now()
    policy = services.create_policy("guard", actor="somebody else")
    services.activate(services.create_version(policy, "uppercase", {}, actor="somebody else"), actor="somebody else")
    job = Job.objects.create(pk=PK, kind="backtest", state=JobState.DONE, created_by="somebody else")
    backtest = Backtest.objects.create(
        **{"pk": PK, "job": job, "policy": "guard", "version": 1, "registered_name": "uppercase", "config": {}},
        **{"together": False, "judges": False, "most": 1, "teams": [TEAM]},
    )
    BacktestCall.objects.create(backtest=backtest, position=1, call_id="call_1")
    job = Job.objects.create(pk=PK + 1, kind="report", state=JobState.DONE, created_by="somebody else")
    Report.objects.create(
        **{"pk": PK, "job": job},
        **{"kind": "calls", "since": now, "until": now, "teams": [TEAM], "seen_teams": [TEAM], "file": "gone.zip"},
    )
    endpoint = Endpoint.objects.create(pk=PK, name="chat", url="https://chat.example/hook", team=TEAM)
    Delivery.objects.create(pk=PK, endpoint=endpoint, event_id="evt_1", event="test", body="{}", give_up_at=now)
    Stop.objects.create(pk=PK, kind=Stop.Kind.KEY, team=TEAM, name="ci", actor="somebody else")
    LegalHold.objects.create(pk=PK, scope="team", name=TEAM, reason="a case", author="somebody else")
    digest = hashlib.sha256(BODY).digest()
    CallRecord.objects.create(
        **{"id": "call_1", "key": "ci", "team": TEAM, "session": "session-1", "model": "m", "dialect": "openai_chat"},
        **{"path": "/chat/completions", "streamed": False, "started_at": datetime(2026, 11, 1, tzinfo=UTC)},
        **{"closed_at": datetime(2026, 11, 1, tzinfo=UTC) + timedelta(seconds=1), "outcome": "finished", "snapshot": 1},
        request_original=digest,
        opening_bodies=packing.pack([(0, recipes.encode([BODY]))], zstandard.ZstdCompressor()),
    )
