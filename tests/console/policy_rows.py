"""Policies to look at, and how tests look at their pages."""

from __future__ import annotations

from typing import Any

from django.test import Client
from django.urls import reverse

from observability.models import AuditEvent
from policies import services
from policies.models import Activation, Policy, PolicyVersion


def version(policy: str = "words", n: int = 2, note: str = "") -> PolicyVersion:
    found = Policy.objects.filter(name=policy).first() or services.create_policy(policy, actor="bob")
    return services.create_version(found, "uppercase_nth_word", {"n": n}, actor="bob", note=note)


def page(client: Client, name: str, *args: Any, query: str = "") -> str:
    answer = client.get(reverse(name, args=args) + query)
    assert answer.status_code == 200
    return answer.content.decode()


def done() -> list[tuple[str, str]]:
    return list(AuditEvent.objects.filter(action__startswith="policy.").order_by("pk").values_list("actor", "action"))


def in_force() -> tuple[int, str, int] | None:
    current = Activation.objects.filter(ended_at=None).first()
    return (current.version.number, current.mode, current.percent) if current else None


def confirmation(chosen: PolicyVersion, **terms: str) -> str:
    given = {"mode": "shadow", "teams": "*", "keys": "*", "models": "*", "percent": "100", "order": "0"}
    given |= {"on_failure": "closed", "deadline": "30", **terms}
    query = "&".join(f"{name}={value}" for name, value in given.items())
    return f"{reverse('policy-confirm', args=[chosen.policy.name])}?version={chosen.pk}&{query}"


def seen() -> dict[str, str]:
    current = Activation.objects.filter(ended_at=None).first()
    return {"seen": str(current.pk) if current else "none"}
