"""The groups that people are put in, and what each may do."""

from __future__ import annotations

from collections.abc import Iterator

from django.contrib.auth.models import Group, Permission

from observability.viewers import LIMITED

CALLS = ("observability.view_callrecord", "observability.view_body")
"""The calls, and what is said in them. A group from which an admin takes the second sees what became of calls alone."""
READING = ("policies.view_*", *CALLS)
"""What the policies are, and what they did."""
ROLES: dict[str, tuple[str, ...]] = {
    "admin": ("policies.*", "observability.*", "gateway.*", "auth.*"),
    "policy author": (*READING, "policies.add_policy", "policies.add_policyversion"),
    "reviewer": (
        *READING,
        *(
            "observability.view_*",
            "observability.add_report",
            "observability.add_review",
            "gateway.view_endpoint",
            "gateway.view_delivery",
        ),
    ),
    "auditor": ("policies.view_*", "observability.view_auditevent", "observability.add_report"),
    LIMITED: CALLS,
}
"""A group's permissions; a star stands for any end of a name. Only an admin puts versions in force."""


def make() -> None:
    """The groups that are not there yet. One that is there stays as its admins made it."""
    for name, patterns in ROLES.items():
        group, new = Group.objects.get_or_create(name=name)
        if new:
            group.permissions.set(_permissions(patterns))


def _permissions(patterns: tuple[str, ...]) -> Iterator[Permission]:
    for pattern in patterns:
        app, _, name = pattern.partition(".")
        known = Permission.objects.filter(content_type__app_label=app)
        yield from known.filter(codename__startswith=name[:-1]) if name.endswith("*") else known.filter(codename=name)
