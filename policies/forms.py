"""Forms for the admin: a policy's Config, field by field, and the terms of an activation."""

from __future__ import annotations

import types
from enum import Enum
from typing import Annotated, Any, ClassVar, Literal, Union, get_args, get_origin

from django import forms
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from policies.active import Scope
from policies.models import MAX_DEADLINE, MIN_DEADLINE, SCOPE_FIELDS, Activation, Policy, PolicyVersion, Terms


class Lines(forms.CharField):
    """A list of texts, one a line."""

    widget = forms.Textarea(attrs={"rows": 4, "cols": 60})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> Any:
        lines = value if isinstance(value, list | tuple) else (value or "").splitlines()
        return [line.strip() for line in lines if line.strip()]


class ConfigForm(forms.Form):
    """Made by `config_form`. Once valid, `config` is what the policy is configured with."""

    model: ClassVar[type[BaseModel]]

    @property
    def config(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if value is not None}

    def clean(self) -> dict[str, Any]:
        if not self.errors:
            try:
                self.model.model_validate(self.config)
            except ValidationError as error:
                for item in error.errors():
                    self._add(item["loc"], item["msg"])
        return self.cleaned_data

    def _add(self, location: tuple[int | str, ...], message: str) -> None:
        field, inner = str(location[0]) if location else "", ".".join(map(str, location[1:]))
        self.add_error(field if field in self.fields else None, f"{inner}: {message}" if inner else message)


def config_form(model: type[BaseModel]) -> type[ConfigForm]:
    """The form for a Config: a field each, and the model's own validation."""
    fields: dict[str, Any] = {name: _field(name, info) for name, info in model.model_fields.items()}
    return type("ConfigForm", (ConfigForm,), {**fields, "model": model})


class ActivationForm(forms.Form):
    """The terms on which a version of one policy is to be in force."""

    version = forms.ModelChoiceField(PolicyVersion.objects.none(), empty_label=None)
    mode = forms.ChoiceField(
        choices=[("shadow", "Shadow: judge and record, change nothing"), ("enforce", "Enforce")], initial="shadow"
    )
    teams = Lines(initial=["*"], help_text="Patterns of the teams it is for, one a line. * stands for any characters.")
    keys = Lines(initial=["*"], help_text="Patterns of the names of the API keys it is for.")
    models = Lines(initial=["*"], help_text="Patterns of the models it is for, by the names that clients use.")
    percent = forms.IntegerField(
        initial=100,
        min_value=0,
        max_value=100,
        help_text="Of sessions. The others stay with what is in force now; a session never changes sides.",
    )
    order = forms.IntegerField(initial=0, help_text="Policies judge in ascending order, each what the one before made.")
    on_failure = forms.ChoiceField(
        choices=[("closed", "Block what it should have judged"), ("open", "Let it pass unjudged, and say so loudly")],
        help_text="What happens if the policy fails or takes too long.",
    )
    deadline = forms.FloatField(
        initial=30.0, min_value=MIN_DEADLINE, max_value=MAX_DEADLINE, help_text="Seconds that one verdict may take."
    )
    redacted = forms.BooleanField(required=False, help_text="Keep the original of what it changes out of the record.")

    def __init__(self, policy: Policy, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        versions = self.fields["version"]
        assert isinstance(versions, forms.ModelChoiceField)
        versions.queryset = policy.versions.all()

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


def _field(name: str, info: FieldInfo) -> forms.Field:
    kind, optional = _plain(info.annotation)
    options: dict[str, Any] = {
        "label": info.title or name.replace("_", " ").capitalize(),
        "help_text": info.description or "",
        "required": info.is_required() and not optional,
        "initial": _initial(info),
    }
    if kind is bool:
        return forms.BooleanField(**{**options, "required": False})
    if choices := _choices(kind):
        return forms.ChoiceField(choices=choices, **options)
    if kind in _SCALARS:
        return _SCALARS[kind](**options)
    if kind is str:
        return forms.CharField(strip=False, empty_value=None if optional else "", **options)
    return _list_field(kind, options)


def _list_field(kind: Any, options: dict[str, Any]) -> forms.Field:
    if get_origin(kind) in (list, tuple, set, frozenset):
        item, _ = _plain(get_args(kind)[0])
        if item is str:
            return Lines(**options)
        if choices := _choices(item):
            return forms.MultipleChoiceField(choices=choices, widget=forms.CheckboxSelectMultiple, **options)
    return forms.JSONField(widget=forms.Textarea(attrs={"rows": 10, "cols": 80}), **options)


_SCALARS: dict[Any, type[forms.Field]] = {int: forms.IntegerField, float: forms.FloatField}


def _plain(annotation: Any) -> tuple[Any, bool]:
    """The type without Annotated and None, and whether None was there."""
    if get_origin(annotation) is Annotated:
        return _plain(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        members = [member for member in get_args(annotation) if member is not types.NoneType]
        if len(members) == 1:
            return _plain(members[0])[0], len(get_args(annotation)) > 1
    return annotation, False


def _choices(kind: Any) -> list[tuple[str, str]]:
    if get_origin(kind) is Literal:
        return [(str(value), str(value).replace("_", " ")) for value in get_args(kind)]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return [(str(member.value), member.name.replace("_", " ").lower()) for member in kind]
    return []


def _initial(info: FieldInfo) -> Any:
    if info.is_required():
        return None
    default = info.get_default(call_default_factory=True, validated_data={})
    return _json_able(default)


def _json_able(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, list | tuple | set | frozenset):
        return [_json_able(item) for item in value]
    return value
