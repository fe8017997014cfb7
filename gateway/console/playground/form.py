"""What the playground is asked to run."""

from __future__ import annotations

from typing import Any

from django import forms
from django.forms.utils import ErrorDict
from django.http import QueryDict
from django.urls import reverse

from gateway.console.playground.settings import Settings
from gateway.console.replay.lineup import Subject
from policies.config_form import EDIT
from policies.models import Policy, PolicyVersion
from policies.registry import InvalidConfig, NotRegistered, build, catalogue

DIALECTS = [
    ("", "Recognise it"),
    ("anthropic", "Anthropic Messages"),
    ("openai_chat", "OpenAI Chat Completions"),
    ("openai_responses", "OpenAI Responses"),
]
LONGEST = 4 * 1024 * 1024
"""Characters of a text that may be pasted."""
PICK = "pick"
"""The name of the buttons that name a recorded call."""


_SHOWS_ITS_SETTINGS = {"hx-include": "#subject select", "hx-target": "#subject", "hx-swap": "outerHTML"}


class SubjectForm(forms.Form):
    """Which policy is under test, with which `settings`, which are None while none is chosen.

    Once valid, `subject` is it. `pressed` says that a button was one that changes the form; then nothing is to be run.
    """

    subject: Subject

    version = forms.ModelChoiceField(
        PolicyVersion.objects.none(), required=False, empty_label="None: a draft", label="Stored version"
    )
    policy_class = forms.ChoiceField(required=False, label="Or a draft of the class")
    policy = forms.ModelChoiceField(
        Policy.objects.none(), required=False, empty_label="None: it is a further one", label="In the place of"
    )
    together = forms.BooleanField(required=False, label="Together with the other policies in force")
    judges = forms.BooleanField(required=False, label="Ask judges and remote services, which may cost money")

    def __init__(self, data: QueryDict | None = None, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial=initial)
        versions, classes, policies = (self.fields[name] for name in ("version", "policy_class", "policy"))
        assert isinstance(versions, forms.ModelChoiceField)
        assert isinstance(classes, forms.ChoiceField)
        assert isinstance(policies, forms.ModelChoiceField)
        policies.queryset = Policy.objects.all()
        versions.queryset = PolicyVersion.objects.select_related("policy")
        classes.choices = [("", "Choose one"), *((name, name) for name in sorted(catalogue()))]
        for field in (versions, classes):
            field.widget.attrs |= {"hx-get": reverse("playground-settings"), **_SHOWS_ITS_SETTINGS}
        self.settings: Settings | None = self.initial.get("settings")
        self.pressed = False
        if data is not None:
            self._take(data.copy())

    def _take(self, data: QueryDict) -> None:
        self.settings = Settings.read(data)
        self.pressed = EDIT in data or PICK in data
        if self.settings is not None:
            data["policy_class"] = self.settings.registered_name
        if PICK in data:
            data["call"] = data.get(PICK, "")
        self.data = data

    def full_clean(self) -> None:
        """A form that is still being filled in has no errors yet."""
        if self.pressed:
            self._errors, self.cleaned_data = ErrorDict(), {}
        else:
            super().full_clean()

    def is_valid(self) -> bool:
        return super().is_valid() and not self.pressed

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if self.settings is None:
            self.add_error("version", self._nothing_chosen())
        elif self.settings.draft.errors:
            self.add_error(None, "The settings cannot be used as they are.")
        elif not self.errors:
            self.subject = self.settings.subject(data["policy"])
            self._build()
        return data

    def _nothing_chosen(self) -> str:
        if self.cleaned_data.get("version"):
            return "Its class is not installed here."
        return "Choose a stored version, or the class of a draft."

    def _build(self) -> None:
        try:
            build(self.subject.registered_name, self.subject.config)
        except InvalidConfig as error:
            for path, message in error.errors:
                self.add_error(None, f"{path}: {message}" if path else message)
        except NotRegistered as error:
            self.add_error(None, str(error.args[0]))


class PlaygroundForm(SubjectForm):
    """Over which call it is run: one on record, or one that is pasted."""

    call = forms.CharField(required=False, label="Id of a recorded call", max_length=100)
    request = forms.CharField(
        required=False,
        strip=False,
        label="Request",
        help_text="The JSON that a client sends.",
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 10, "spellcheck": "false", "class": "code"}),
    )
    answer = forms.CharField(
        required=False,
        strip=False,
        label="Answer",
        help_text="What the provider answers: JSON, or a stream of events. Without one only the request is judged.",
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 10, "spellcheck": "false", "class": "code"}),
    )
    dialect = forms.ChoiceField(required=False, choices=DIALECTS, label="API")

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        if not self.errors and not data.get("call") and not (data.get("request") or "").strip():
            self.add_error("request", "Paste a request, or name a recorded call.")
        return data
