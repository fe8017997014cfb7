"""What the playground is asked to run."""

from __future__ import annotations

import json
from typing import Any

from django import forms

from gateway.console.labels import DRAFT
from gateway.console.replay.lineup import Subject
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


class SubjectForm(forms.Form):
    """Which policy is under test. Once valid, `subject` is it."""

    version = forms.ModelChoiceField(
        PolicyVersion.objects.none(), required=False, empty_label="None: a draft", label="Stored version"
    )
    policy_class = forms.ChoiceField(required=False, label="Class of a draft")
    policy = forms.ModelChoiceField(
        Policy.objects.none(), required=False, empty_label="None: it is a further one", label="In the place of"
    )
    config = forms.CharField(
        required=False,
        label="Settings of the draft, as JSON",
        max_length=LONGEST,
        strip=True,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "class": "code"}),
    )
    together = forms.BooleanField(required=False, label="Together with the other policies in force")
    judges = forms.BooleanField(required=False, label="Ask judges and remote services, which may cost money")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        versions, classes = self.fields["version"], self.fields["policy_class"]
        assert isinstance(versions, forms.ModelChoiceField)
        assert isinstance(classes, forms.ChoiceField)
        policies = self.fields["policy"]
        assert isinstance(policies, forms.ModelChoiceField)
        policies.queryset = Policy.objects.all()
        versions.queryset = PolicyVersion.objects.select_related("policy")
        classes.choices = [("", "Choose one"), *((name, name) for name in sorted(catalogue()))]

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        version, registered = data.get("version"), data.get("policy_class", "")
        if not self.errors and not version and not registered:
            self.add_error("version", "Choose a stored version, or the class of a draft.")
        if not self.errors:
            name = data["policy"].name if data["policy"] else DRAFT
            self.subject = Subject.of(version) if version else Subject(name, 0, registered, self._config())
            self._check()
        return data

    def _config(self) -> dict[str, Any]:
        try:
            config = json.loads(self.cleaned_data["config"] or "{}")
        except (ValueError, RecursionError) as error:
            where = f": line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
            self.add_error("config", f"This is not JSON{where}.")
            return {}
        if not isinstance(config, dict):
            self.add_error("config", "This is not a JSON object.")
            return {}
        return config

    def _check(self) -> None:
        if self.errors:
            return
        field = "config" if self.subject.version == 0 else "version"
        try:
            build(self.subject.registered_name, self.subject.config)
        except InvalidConfig as error:
            for path, message in error.errors:
                self.add_error(field, f"{path}: {message}" if path else message)
        except NotRegistered as error:
            self.add_error(field, str(error.args[0]))


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
