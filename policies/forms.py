"""The terms of an activation, as a form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms.boundfield import BoundField

from policies.active import Scope
from policies.models import MAX_DEADLINE, MIN_DEADLINE, SCOPE_FIELDS, Activation, Policy, PolicyVersion, Terms


class Lines(forms.CharField):
    """A list of texts, one a line."""

    widget = forms.Textarea(attrs={"rows": 3, "spellcheck": "false"})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> Any:
        lines = value if isinstance(value, list | tuple) else (value or "").splitlines()
        return [line.strip() for line in lines if line.strip()]


class Versions(forms.ModelChoiceField):
    """The versions of one policy, the newest first."""

    def label_from_instance(self, version: Any) -> str:
        return f"{version.number}: {version.note}" if version.note else str(version.number)


@dataclass(frozen=True, slots=True)
class Group:
    """Terms that belong together."""

    title: str
    fields: list[BoundField]


class ActivationForm(forms.Form):
    """The terms on which a version of one policy is to be in force."""

    version = Versions(PolicyVersion.objects.none(), empty_label=None)
    mode = forms.ChoiceField(
        choices=[("shadow", "Shadow: judge and record, change nothing"), ("enforce", "Enforce: what it decides holds")],
        initial="shadow",
    )
    percent = forms.IntegerField(
        label="Percent of sessions",
        initial=100,
        min_value=0,
        max_value=100,
        help_text="The others stay with what is in force now; a session never changes sides.",
    )
    teams = Lines(initial=["*"], help_text="Patterns of the teams it is for, one a line. * stands for any characters.")
    keys = Lines(initial=["*"], help_text="Patterns of the names of the API keys it is for.")
    models = Lines(initial=["*"], help_text="Patterns of the models it is for, by the names that clients use.")
    order = forms.IntegerField(initial=0, help_text="Policies judge in ascending order, each what the one before made.")
    on_failure = forms.ChoiceField(
        label="If it fails",
        choices=[("closed", "Closed: block"), ("open", "Open: let pass, and say so loudly")],
        help_text="What becomes of what it should have judged, if it fails or takes too long.",
    )
    deadline = forms.FloatField(
        label="Deadline in seconds",
        initial=30.0,
        min_value=MIN_DEADLINE,
        max_value=MAX_DEADLINE,
        help_text="How long one verdict may take.",
    )
    redacted = forms.BooleanField(
        required=False,
        label="Keep originals out of the record",
        help_text="What it changes stands on record as it became, not as it was.",
    )

    def __init__(self, policy: Policy, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        versions = self.fields["version"]
        assert isinstance(versions, forms.ModelChoiceField)
        versions.queryset = policy.versions.all()

    @property
    def groups(self) -> list[Group]:
        """The fields, as the page groups them."""
        return [
            Group("What", [self["version"], self["mode"], self["percent"]]),
            Group("For which calls", [self[name] for name in SCOPE_FIELDS]),
            Group("How", [self["order"], self["on_failure"], self["deadline"], self["redacted"]]),
        ]

    @property
    def version_chosen(self) -> PolicyVersion:
        version: PolicyVersion = self.cleaned_data["version"]
        return version

    @property
    def terms(self) -> Terms:
        data: dict[str, Any] = dict(self.cleaned_data)
        scope = Scope(**{field: tuple(data.pop(field)) for field in SCOPE_FIELDS})
        del data["version"]
        return Terms(scope=scope, **data)


def terms_initial(activation: Activation) -> dict[str, Any]:
    """What an ActivationForm shows for the terms of `activation`."""
    terms = {name: getattr(activation, name) for name in Terms.__slots__ if name != "scope"}
    return {**terms, **activation.scope}
