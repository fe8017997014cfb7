"""From calls that the real recorder puts on record to deliveries."""

from __future__ import annotations

import json

import pytest

from gateway.notifications import outbox
from gateway.notifications.models import Delivery
from observability.models import OutboxEntry
from observability.recording.writer import Writer
from policies.verdicts import Decision
from tests.console import seed
from tests.gateway.notifications.conftest import told

pytestmark = pytest.mark.django_db(transaction=True)
URL = "https://siem.example/hook"


def decision(action: str, mode: str = "enforce", reason: str = "because") -> Decision:
    return Decision("judge", 2, mode, "on_text", "text 0", action, reason, 5, 1)  # type: ignore[arg-type]


async def calls(writer: Writer) -> None:
    """One of each kind of decision, and one whose verdicts are ordinary."""
    for number, decided in enumerate(
        (
            decision("block", reason="first"),
            decision("allow"),
            decision("failed_open"),
            decision("block", "shadow"),
            decision("replace"),
        )
    ):
        await seed.put_on_record(
            writer,
            f"call_{number}",
            seed.request("secret words"),
            seed.answer(seed.text("secret words")),
            decisions=(decided,),
            team="payments" if number else "research",
        )


def events() -> list[tuple[str, str, str]]:
    rows = Delivery.objects.order_by("id").values_list("endpoint__name", "event", "call_id")
    return list(rows)


def test_an_endpoint_is_told_what_it_asked_for() -> None:
    told(URL, "blocked", "failed_open")
    told(URL, "would_block", name="curious")
    seed.fill(calls)
    assert outbox.empty() == 3
    assert events() == [
        ("siem", "blocked", "call_0"),
        ("siem", "failed_open", "call_2"),
        ("curious", "would_block", "call_3"),
    ]
    said = Delivery.objects.get(event="blocked")
    assert json.loads(said.body)["decision"]["reason"] == "first"
    assert "secret words" not in said.body
    assert not OutboxEntry.objects.exists()


def test_an_endpoint_of_a_team_is_told_of_its_calls_alone() -> None:
    told(URL, team="research")
    seed.fill(calls)
    outbox.empty()
    assert events() == [("siem", "blocked", "call_0")]


def test_what_comes_twice_is_told_once() -> None:
    told(URL)
    seed.fill(calls)
    outbox.empty()
    OutboxEntry.objects.create(call_id="call_0", position=0)
    outbox.empty()
    assert Delivery.objects.filter(call_id="call_0").count() == 1


def test_nothing_piles_up_where_nobody_is_told() -> None:
    told(URL, enabled=False)
    seed.fill(calls)
    assert outbox.empty() == 0
    assert not OutboxEntry.objects.exists()


def test_what_cannot_be_stored_stays_in_the_outbox(monkeypatch: pytest.MonkeyPatch) -> None:
    told(URL)
    seed.fill(calls)

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as broken:
        broken.setattr(Delivery.objects, "bulk_create", fail)
        with pytest.raises(RuntimeError):
            outbox.empty()
    assert outbox.empty() == 3


def test_more_than_fits_at_once_is_all_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "AT_ONCE", 2)
    told(URL)
    seed.fill(calls)
    assert outbox.empty() == 3
