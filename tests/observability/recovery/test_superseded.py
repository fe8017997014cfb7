from __future__ import annotations

from asgiref.sync import sync_to_async

from observability.models import AuditEvent, CallRecord
from observability.recording.recorder import CallRecorder
from observability.rows.database import Database, DatabaseAway
from observability.rows.statements import CLOSE, Statement
from observability.sealing.keys import public_key
from observability.sealing.tombstones import Range, read
from tests.observability.conftest import MakeWriter, make_facts
from tests.observability.weather import Weather, verify


async def test_a_call_that_somebody_else_closed_leaves_a_tombstone_in_our_chain(make_writer: MakeWriter) -> None:
    writer = make_writer()
    call = CallRecorder(make_facts(id="call_lost"), writer)
    call.open()
    await call.opened()
    await CallRecord.objects.filter(pk="call_lost").aupdate(outcome="interrupted", boot_id="boot_other", sequence=1)
    await call.close("finished", 200)
    await CallRecorder(make_facts(id="call_next"), writer).close("finished", 200)
    event = await AuditEvent.objects.aget(action="record.superseded")
    tombstone = read(event.commits)
    assert tombstone is not None
    kind, [gap], key = tombstone
    assert (kind, gap[:3], key) == ("removed", (writer.boot_id, 1, 1), public_key())
    assert isinstance(gap, Range)
    assert (await CallRecord.objects.aget(pk="call_next")).sequence == 2


async def test_a_commit_whose_answer_was_lost_leaves_no_tombstone(make_writer: MakeWriter, weather: Weather) -> None:
    writer = make_writer(database=Forgetful(weather))
    await CallRecorder(make_facts(), writer).close("finished", 200)
    assert not await AuditEvent.objects.aexists()
    assert await sync_to_async(verify)(writer.boot_id) == 1


class Forgetful:
    """Commits the first closing and says that it is away."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._forgot = False
        self.read, self.time, self.close = database.read, database.time, database.close

    def write(self, statements: list[Statement]) -> int:
        changed = self._database.write(statements)
        if statements[-1][0] == CLOSE and not self._forgot:
            self._forgot = True
            raise DatabaseAway("the answer is lost")
        return changed
