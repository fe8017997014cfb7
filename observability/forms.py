"""What forms have in common that choose calls of the record."""

from __future__ import annotations

from typing import Any

from django import forms

from .models import Outcome

MOMENT = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")


class PeriodForm(forms.Form):
    """A form with the fields `since` and `until`; where both are given, the second has to be later."""

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        since, until = data.get("since"), data.get("until")
        if since and until and since >= until:
            self.add_error("until", "This is not after the other end.")
        return data


def outcome_field(label: str) -> forms.ChoiceField:
    """How a call ended, or any way."""
    ended = [choice for choice in Outcome.choices if choice[0] != Outcome.OPEN]
    return forms.ChoiceField(required=False, label=label, choices=[("", "Any"), *ended])
