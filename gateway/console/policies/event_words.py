"""Audit events about policies as sentences. Events are data: old ones outlive the words they are shown in. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def sentence(action: str, detail: Mapping[str, Any]) -> str:
    """What somebody did; an action that nobody knows any more is shown as it stands."""
    version = detail.get("version", "?")
    match action:
        case "policy.created":
            return "made the policy"
        case "policy.version_created":
            return f"made version {version} (checksum {str(detail.get('checksum', ''))[:12]})"
        case "policy.activated":
            return f"put version {version} in force: {_terms(detail)}"
        case "policy.rolled_back":
            return f"rolled back from version {detail.get('from_version', '?')} to version {version}"
        case "policy.deactivated":
            return f"took version {version} out of force"
        case _:
            return action


def _terms(detail: Mapping[str, Any]) -> str:
    terms = [f"{detail.get('mode', '?')} for {detail.get('percent', '?')} % of sessions"]
    scope = detail.get("scope")
    if isinstance(scope, Mapping):
        terms += [f"{name} {', '.join(map(str, names))}" for name, names in scope.items() if list(names) != ["*"]]
    if detail.get("on_failure") == "open":
        terms.append("fails open")
    return ", ".join(terms)
