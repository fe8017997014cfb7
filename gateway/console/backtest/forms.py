"""What a backtest is asked to run over."""

from __future__ import annotations

from django import forms

from gateway.console.playground.form import DIALECTS, SubjectForm
from observability.forms import MOMENT, PeriodForm, outcome_field

MOST = 5_000
USUAL = 200
FILTERS = ("since", "until", "team", "model", "session", "dialect", "outcome")


class BacktestForm(PeriodForm, SubjectForm):
    """Once valid, `subject` is what is under test, and `filters` say over which calls, as they are stored."""

    most = forms.IntegerField(initial=USUAL, min_value=1, max_value=MOST, label="Last calls, at most")
    since = forms.DateTimeField(required=False, label="Since (UTC)", widget=MOMENT)
    until = forms.DateTimeField(required=False, label="Until (UTC)", widget=MOMENT)
    team = forms.CharField(required=False, max_length=200)
    model = forms.CharField(required=False, max_length=200)
    session = forms.CharField(required=False, max_length=200)
    dialect = forms.ChoiceField(required=False, choices=[("", "Any"), *DIALECTS[1:]], label="API")
    outcome = outcome_field("Outcome then")

    @property
    def filters(self) -> dict[str, str]:
        data = self.cleaned_data
        named = {name: data[name].replace("\0", "") for name in FILTERS[2:] if data[name]}
        return {name: data[name].isoformat() for name in FILTERS[:2] if data[name]} | named
