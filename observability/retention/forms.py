"""The forms of the retention page."""

from __future__ import annotations

from typing import Any

from django import forms

from .erasure import Subject
from .kinds import BOUNDS, MOST_DAYS, Kind
from .models import HoldScope

_KINDS = {Kind.CALLS: "Calls", Kind.AUDIT: "Audit events"}


class _Described(forms.Form):
    """Errors and help are said of their fields to those who do not see them too."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self:
            parts = [f"{field.id_for_label}_helptext"] * bool(field.help_text)
            parts += [f"{field.id_for_label}_error"] * bool(field.errors)
            if parts:
                field.field.widget.attrs["aria-describedby"] = " ".join(parts)


class PeriodForm(_Described):
    """How long a kind is kept; without days, as long as everybody's, or as where nobody says."""

    kind = forms.ChoiceField(choices=[(kind.value, label) for kind, label in _KINDS.items()])
    team = forms.CharField(required=False, max_length=100, help_text="Empty: all teams without a period of their own.")
    days = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=MOST_DAYS,
        help_text=f"Empty: take the period back. Audit events: {BOUNDS[Kind.AUDIT].least} days or more.",
    )


class HoldForm(_Described):
    scope = forms.ChoiceField(label="What", choices=HoldScope.choices)
    name = forms.CharField(max_length=200, help_text="Name of the team or key, or id of the session or call.")
    reason = forms.CharField(widget=forms.Textarea(attrs={"rows": 2}), max_length=2000)


class SubjectForm(_Described):
    kind = forms.ChoiceField(label="Whose", choices=[("session", "Session"), ("key", "Key")])
    name = forms.CharField(max_length=200, help_text="Id of the session, or name of the key.")

    @property
    def subject(self) -> Subject:
        return Subject(self.cleaned_data["kind"], self.cleaned_data["name"])
