from tests.observability.conftest import Record

from observability.models import CallRecord


async def test_a_call_is_on_record_as_soon_as_its_close_returns(record: Record) -> None:
    call = record(id="call_x")
    call.open()
    await call.opened()
    opened = await CallRecord.objects.aget(pk="call_x")
    assert (opened.outcome, opened.key, opened.team, opened.model) == ("open", "ci", "payments", "claude-test")
    call.original(b"said")
    call.final(b"SAID")
    await call.close("finished", 200)
    closed = await CallRecord.objects.aget(pk="call_x")
    assert (closed.outcome, closed.status, closed.released_bytes, closed.sequence) == ("finished", 200, 4, 1)
