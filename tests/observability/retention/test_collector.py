from __future__ import annotations

from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from observability import queries, tasks
from observability.models import Blob, BlobReference, CallRecord, Job
from observability.retention import collector
from tests.observability.bodies.test_payloads import compact, conversation, request
from tests.observability.conftest import Record

LONG_AGO = timezone.now() - timedelta(hours=25)


async def session(record: Record, *turns: int) -> None:
    for number in turns:
        call = record(id=f"call_{number}", request_body=compact(request(conversation(number))))
        call.open()
        await call.close("finished", 200)


def forget(id: str) -> None:
    CallRecord.objects.filter(pk=id).delete()
    BlobReference.objects.filter(source=id.encode()).delete()


def collect() -> int:
    return sum(collector.collect())


async def test_what_a_record_needs_stays_also_through_recipes(record: Record) -> None:
    await session(record, 5, 6, 7)
    await Blob.objects.aupdate(touched_at=LONG_AGO)
    await sync_to_async(forget)("call_5")
    await sync_to_async(forget)("call_6")
    assert await sync_to_async(collect)() == 0
    last = await CallRecord.objects.aget(pk="call_7")
    assert await sync_to_async(queries.payload)(last, "request_original") == compact(request(conversation(7)))


async def test_what_nothing_needs_goes_with_all_that_it_alone_needed(record: Record) -> None:
    await session(record, 5, 6)
    await Blob.objects.aupdate(touched_at=LONG_AGO)
    await sync_to_async(forget)("call_5")
    await sync_to_async(forget)("call_6")
    assert await sync_to_async(collect)() > 10
    assert await Blob.objects.acount() == 0
    assert await BlobReference.objects.acount() == 0


async def test_a_damaged_body_stays_and_keeps_nothing_else(record: Record) -> None:
    await session(record, 5)
    recipe = await Blob.objects.filter(recipe=True).afirst()
    assert recipe is not None
    await Blob.objects.acreate(digest=b"alone", recipe=False, data=b"", size=0, touched_at=LONG_AGO)
    await Blob.objects.filter(pk=recipe.pk).aupdate(data=b"not zstd")
    await Blob.objects.aupdate(touched_at=LONG_AGO)
    await sync_to_async(forget)("call_5")
    assert await sync_to_async(collect)() > 0
    assert await Blob.objects.filter(pk=recipe.pk).aexists()
    assert not await Blob.objects.filter(pk=b"alone").aexists()
    assert await BlobReference.objects.filter(source=recipe.pk).aexists()


@pytest.mark.django_db
def test_what_was_touched_lately_stays() -> None:
    Blob.objects.create(digest=b"old", recipe=False, data=b"", size=0, touched_at=LONG_AGO)
    Blob.objects.create(digest=b"new", recipe=False, data=b"", size=0, touched_at=timezone.now())
    tasks.collect_blobs()
    assert [bytes(blob.digest) for blob in Blob.objects.all()] == [b"new"]
    job = Job.objects.get()
    assert (job.kind, job.state, job.progress) == ("collect_blobs", "done", 1)
