"""What a long agent session costs in the database, beside each of its bodies compressed by itself."""

from __future__ import annotations

from typing import Any

import zstandard
from asgiref.sync import sync_to_async

from observability import queries
from observability.models import Blob, BlobReference, CallRecord
from tests.observability.bodies.test_payloads import compact, conversation, request, turn
from tests.observability.conftest import Record

TURNS = 100
DIGESTS = 64
"""Bytes of a reference's two names."""


async def test_a_hundred_turns_of_two_hundred_kilobytes_cost_a_twentieth_and_come_back_to_the_byte(
    record: Record,
) -> None:
    # An agent that has read much already: what it was told and what it read stands in each request again.
    history: list[dict[str, Any]] = conversation(50)
    bodies = []
    for number in range(TURNS):
        history += turn(100 + number)[: 2 if number % 2 else 1]
        bodies.append(compact(request(history)))
    assert len(bodies[0]) > 150_000 and sum(map(len, bodies)) > 200_000 * TURNS
    for number, body in enumerate(bodies):
        call = record(id=f"call_{number:03}", request_body=body)
        call.open()
        call.forwarded("anthropic", "claude-x", body)
        await call.close("finished", 200)
    stored, came_back = await sync_to_async(read)()
    assert came_back == bodies
    assert stored * 20 <= sum(len(zstandard.compress(body)) for body in bodies)


def read() -> tuple[int, list[bytes | None]]:
    """The bytes that bodies take in the database, and the bodies."""
    calls = list(CallRecord.objects.order_by("pk"))
    packed = sum(len(each or b"") for call in calls for each in (call.opening_bodies, call.closing_bodies))
    blobs = sum(len(data) + DIGESTS // 2 for data in Blob.objects.values_list("data", flat=True))
    bodies = [queries.payload(call, "request_original") for call in calls]
    return packed + blobs + DIGESTS * BlobReference.objects.count(), bodies
