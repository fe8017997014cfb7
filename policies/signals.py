"""What others may listen to."""

from django.dispatch import Signal

changed = Signal()
"""An admin's change, sent inside its transaction: a receiver that raises undoes the change.

`actor` (str) is who did it, `action` (str) what, such as "policy.activated", `subject` (str) the name of what was
changed, and `detail` (dict, JSON-able, without secrets) the rest. `rows`, where there are any, are the policies,
versions and activations that came in or changed: history that the audit vouches for.
"""
