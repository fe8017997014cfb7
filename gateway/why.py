"""The link in a notice: to the page that tells whoever got the notice why.

An id of a call is no secret, so the link carries a proof of its own: who has it got the notice, or was given it.
Without the proof nothing is looked up, and what was guessed looks like what never was.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

_BYTES = 12


def link(call_id: str) -> str:
    """The address of the page, for the notice of that call alone."""
    return f"{settings.LUTHIEN_URL}/why/{call_id}/{_proof(call_id)}/"


def is_proof(call_id: str, proof: str) -> bool:
    """Whether `proof` came with the link of that call."""
    return constant_time_compare(_proof(call_id), proof)


def _proof(call_id: str) -> str:
    digest = salted_hmac("luthien.why", call_id, algorithm="sha256").digest()
    return urlsafe_b64encode(digest[:_BYTES]).decode()
