from enum import Enum
from typing import Annotated, Literal, Self

from django import forms
from pydantic import BaseModel, Field, model_validator

from policies.forms import Lines, config_form
from policies.library.string_replacement import StringReplacement


class Colour(Enum):
    DARK_RED = "red"
    BLUE = "blue"


class Inner(BaseModel):
    x: int = 1


class Everything(BaseModel):
    must: str = Field(description="You must.")
    on: bool = True
    number: int = Field(3, ge=1, title="How many")
    ratio: Annotated[float, Field(le=1)] = 0.5
    maybe: int | None = None
    words: str | None = None
    choice: Literal["a_b", "c"] = "c"
    colour: Colour = Colour.BLUE
    names: tuple[str, ...] = ("x", "y")
    several: tuple[Literal["p", "q"], ...] = ("p",)
    inner: Inner = Inner()
    inners: list[Inner] = Field(default_factory=lambda: [Inner(x=2)])
    either: int | str = 1


FORM = config_form(Everything)
VALID = {
    "must": " spaces stay ",
    "number": "4",
    "ratio": "0.25",
    "choice": "a_b",
    "colour": "red",
    "names": " a \n\n b\n",
    "several": ["p", "q"],
    "inner": '{"x": 5}',
    "inners": "[]",
    "either": '"text"',
}


def test_each_type_gets_its_field() -> None:
    types = {name: type(field) for name, field in FORM().fields.items()}
    assert types == {
        "must": forms.CharField,
        "on": forms.BooleanField,
        "number": forms.IntegerField,
        "ratio": forms.FloatField,
        "maybe": forms.IntegerField,
        "words": forms.CharField,
        "choice": forms.ChoiceField,
        "colour": forms.ChoiceField,
        "names": Lines,
        "several": forms.MultipleChoiceField,
        "inner": forms.JSONField,
        "inners": forms.JSONField,
        "either": forms.JSONField,
    }


def test_labels_help_and_defaults_are_the_models() -> None:
    fields = FORM().fields
    assert (fields["number"].label, fields["must"].label, fields["must"].help_text) == ("How many", "Must", "You must.")
    assert [name for name, field in fields.items() if field.required] == ["must"]
    assert (fields["colour"].initial, fields["inner"].initial, fields["inners"].initial) == (
        "blue",
        {"x": 1},
        [{"x": 2}],
    )
    colour = fields["colour"]
    assert isinstance(colour, forms.ChoiceField) and colour.choices == [("red", "dark red"), ("blue", "blue")]
    assert "\nx\ny</textarea>" in str(FORM()["names"])


def test_what_is_filled_in_is_a_config() -> None:
    form = FORM(VALID)
    assert form.is_valid(), form.errors
    config = Everything.model_validate(form.config)
    assert config == Everything(
        must=" spaces stay ",
        on=False,
        number=4,
        ratio=0.25,
        choice="a_b",
        colour=Colour.DARK_RED,
        names=("a", "b"),
        several=("p", "q"),
        inner=Inner(x=5),
        inners=[],
        either="text",
    )


def test_a_field_left_empty_keeps_its_default() -> None:
    form = FORM({**VALID, "number": "", "inner": ""})
    assert form.is_valid()
    assert Everything.model_validate(form.config).number == 3


def test_errors_stand_beside_their_field() -> None:
    form = FORM({**VALID, "number": "0", "inner": '{"x": "y"}', "inners": '[{"x": "y"}]', "ratio": "2"})
    assert not form.is_valid()
    assert set(form.errors) == {"number", "ratio", "inner", "inners"}
    assert str(form.errors["inners"][0]).startswith("0.x: Input should be a valid integer")


def test_an_error_of_djangos_own_comes_first() -> None:
    form = FORM({**VALID, "must": "", "number": "0"})
    assert set(form.errors) == {"must"}


def test_a_rule_that_does_not_compile_is_an_error_of_the_rules() -> None:
    form = config_form(StringReplacement.Config)({"rules": '[{"find": "(", "replace": "", "regex": true}]'})
    assert list(form.errors) == ["rules"]


class Never(BaseModel):
    a: int = 1

    @model_validator(mode="after")
    def _never(self) -> Self:
        raise ValueError("never")


def test_an_error_of_the_whole_model_is_the_forms() -> None:
    assert config_form(Never)({"a": "1"}).non_field_errors() == ["Value error, never"]
