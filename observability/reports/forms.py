"""What a report is asked for with."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone

from observability.exporters.base import CallExporter, Exporter
from observability.forms import MOMENT, PeriodForm, outcome_field
from observability.presentation import ACTIONS

from .formats import FORMATS

USUAL_DAYS, LONGEST_DAYS = 30, 366
_LABELS = {"actor": "Person", "subject": "Subject", "action": "Decision"}


class ReportForm(PeriodForm):
    """For one kind of report, with the filters that it takes. Once valid, `filters` are those that were given."""

    since = forms.DateTimeField(label="Since (UTC)", widget=MOMENT)
    until = forms.DateTimeField(label="Until (UTC)", widget=MOMENT)
    formats = forms.MultipleChoiceField(
        choices=[(name, each.title) for name, each in FORMATS.items()], widget=forms.CheckboxSelectMultiple
    )
    contents = forms.BooleanField(required=False, label="With what was said: bodies, headers, notes and evidence")
    days = forms.IntegerField(initial=USUAL_DAYS, min_value=1, max_value=LONGEST_DAYS, label="Keep the file for (days)")

    def __init__(self, exporter: type[Exporter], *args: Any, **kwargs: Any) -> None:
        now = timezone.now().replace(second=0, microsecond=0)
        usual = {
            "since": now - timedelta(days=USUAL_DAYS),
            "until": now + timedelta(minutes=1),
            "formats": list(FORMATS),
        }
        super().__init__(*args, **{**kwargs, "initial": usual | kwargs.get("initial", {})})
        self.accepts = exporter.accepts
        for name in exporter.accepts:
            self.fields[name] = _filter(name)
        if not (issubclass(exporter, CallExporter) and exporter.has_contents):
            del self.fields["contents"]

    @property
    def filters(self) -> dict[str, str]:
        return {name: value for name in self.accepts if (value := self.cleaned_data[name].replace("\0", ""))}

    @property
    def filter_fields(self) -> list[forms.BoundField]:
        """The fields of the filters, to be shown."""
        return [self[name] for name in self.accepts]


def _filter(name: str) -> forms.Field:
    label = _LABELS.get(name, name.capitalize())
    if name == "outcome":
        return outcome_field(label)
    if name == "action":
        known = [(action, action.replace("_", " ").capitalize()) for action in ACTIONS]
        return forms.ChoiceField(required=False, label=label, choices=[("", "Any"), *known])
    return forms.CharField(required=False, label=label, max_length=300)
