"""Who read the bodies of which call: an audit event each time, but one for what is opened again and again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from time import monotonic

from django.http import Http404, HttpRequest

from .audit import record
from .models import CallRecord
from .viewers import visible_call

ACTION = "call.viewed"
SESSION = "session.viewed"
AGAIN_SECONDS = 600.0
"""Within this time the same reader opens the same thing for one event; each process counts by itself."""
REMEMBERED = 10_000

View = tuple[str, str, str, str]


class Views:
    """What was opened lately. Threads may share it."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._noted: OrderedDict[View, float] = OrderedDict()

    def note(self, actor: str, subject: str, shown: str, action: str = ACTION) -> None:
        """Put on record that `actor` is about to be shown bodies of a call: as which page, or through which API.

        With SESSION as `action` the subject is a session, and the bodies are of all its calls that the actor may see.

        Who cannot be put on record is shown nothing: what the database raises goes on.
        """
        view = (actor, subject, shown, action)
        now = self._clock()
        with self._lock:
            if now - self._noted.get(view, -AGAIN_SECONDS) < AGAIN_SECONDS:
                return
        record(actor=actor, action=action, subject=subject, detail={"shown": shown})
        with self._lock:
            self._noted[view] = now
            self._noted.move_to_end(view)
            if len(self._noted) > REMEMBERED:
                self._noted.popitem(last=False)


_views = Views()


def note(actor: str, subject: str, shown: str, action: str = ACTION) -> None:
    """As `Views.note`, for this process."""
    _views.note(actor, subject, shown, action)


def record_for(request: HttpRequest, id: str, shown: str) -> CallRecord:
    """The call, which is about to be shown to whoever asks: that is an event of the audit. Raises Http404."""
    call = visible_call(request.user, id)
    if call is None:
        raise Http404
    note(request.user.get_username(), call.pk, shown)
    return call
