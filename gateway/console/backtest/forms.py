"""What a backtest is asked to run over."""

from __future__ import annotations

from typing import Any

from django import forms

from gateway.console.playground.form import DIALECTS, SubjectForm
from observability.models import Outcome

MOST = 5_000
USUAL = 200
_MOMENT = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
FILTERS = ("since", "until", "team", "model", "session", "dialect", "outcome")


class BacktestForm(SubjectForm):
    """Once valid, `subject` is what is under test, and `filters` say over which calls, as they are stored."""

    most = forms.IntegerField(initial=USUAL, min_value=1, max_value=MOST, label="Last calls, at most")
    since = forms.DateTimeField(required=False, label="Since (UTC)", widget=_MOMENT)
    until = forms.DateTimeField(required=False, label="Until (UTC)", widget=_MOMENT)
    team = forms.CharField(required=False, max_length=200)
    model = forms.CharField(required=False, max_length=200)
    session = forms.CharField(required=False, max_length=200)
    dialect = forms.ChoiceField(required=False, choices=[("", "Any"), *DIALECTS[1:]], label="API")
    outcome = forms.ChoiceField(
        required=False,
        choices=[("", "Any"), *(choice for choice in Outcome.choices if choice[0] != Outcome.OPEN)],
        label="Outcome then",
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        since, until = data.get("since"), data.get("until")
        if since and until and since >= until:
            self.add_error("until", "This is not after the other end.")
        return data

    @property
    def filters(self) -> dict[str, str]:
        data = self.cleaned_data
        named = {name: data[name].replace("\0", "") for name in FILTERS[2:] if data[name]}
        return {name: data[name].isoformat() for name in FILTERS[:2] if data[name]} | named
