import json

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.test.utils import CaptureQueriesContext

from observability import queries
from observability.bodies.reading import Blobs
from observability.bodies.recipes import PayloadDamaged
from observability.models import Blob, CallRecord
from tests.observability.conftest import Record


async def test_a_body_of_many_parts_takes_a_few_queries(record: Record) -> None:
    messages = [{"role": "user", "content": f"{number} " + "words of some length " * 40} for number in range(60)]
    body = json.dumps({"messages": messages}).encode()
    call = record(id="call_x", request_body=body)
    call.open()
    await call.close("finished", 200)
    row = await CallRecord.objects.aget(pk="call_x")
    assert await sync_to_async(read)(row) == (body, True)


def read(row: CallRecord) -> tuple[bytes | None, bool]:
    with CaptureQueriesContext(
        connection,
    ) as asked:
        raw = queries.payload(row, "request_original")
    return raw, len(asked) <= 3 and Blob.objects.count() >= 60


@pytest.mark.django_db
def test_what_is_missing_or_broken_is_damaged() -> None:
    with pytest.raises(PayloadDamaged, match="missing"):
        Blobs()(b"\1" * 32)
    Blob.objects.create(digest=b"\2" * 32, recipe=False, data=b"not zstd", size=1, touched_at="2026-11-01T00:00:00Z")
    with pytest.raises(PayloadDamaged, match="decompressed"):
        Blobs()(b"\2" * 32)
