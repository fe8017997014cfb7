"""The recorded database of the verification's tests, and time enough for it to be old."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from tests.observability.verification.conftest import recorded as recorded
from tests.observability.verification.conftest import seal as seal
from tests.observability.verification.conftest import verify as verify

MUCH_LATER = timezone.now() + timedelta(days=184)
"""When all that the tests record is older than the default period."""
