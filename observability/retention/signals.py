"""What others have to forget too."""

from django.dispatch import Signal

contents_gone = Signal()
"""Sent with `call_ids`, in the transaction in which the contents of these calls go: purged, or erased.

Their rows are still there."""
