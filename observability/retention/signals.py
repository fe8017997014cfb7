"""What others have to forget too."""

from django.dispatch import Signal

contents_gone = Signal()
"""Sent with `call_ids` and `whole`, in the transaction in which the contents of these calls go.

`whole`: the calls are purged, else erased. Their rows are still there."""
