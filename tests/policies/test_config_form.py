"""The form of a Config: drawn, sent and read back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import pytest
from pydantic import BaseModel, Field

from policies import registry
from policies.config_form import Draft
from policies.config_form.shapes import Shape, shape_of
from tests.policies.filling import FULL, Everything, errors, find, sent


def test_a_config_comes_back_as_it_was_drawn() -> None:
    normal = Everything.model_validate(FULL).model_dump(mode="json")
    read = Draft.read(Everything, sent(Draft.of(Everything, normal)))
    assert read.valid and not read.errors
    assert read.config == normal


@pytest.mark.parametrize("name", sorted(registry.catalogue()))
def test_the_defaults_of_each_policy_come_back_and_need_no_json(name: str) -> None:
    config = registry.catalogue()[name].Config
    draft = Draft.of(config)
    read = Draft.read(config, sent(draft))
    if read.valid:
        assert config.model_validate(read.config) == config.model_validate(draft.config)
    # What has no default is needed, and a config as a whole may have to say something.
    assert {location for location, _ in read.errors} <= {(), *((field,) for field in config.model_fields)}
    assert [
        part for part in shapes(shape_of(config)) if part.kind == "json" and part.node.get("type") != "object"
    ] == []


def shapes(shape: Shape) -> Iterator[Shape]:
    """All parts of a config, but for those within themselves."""
    yield shape
    if shape.kind in ("group", "maybe"):
        for part in shape.members:
            yield from shapes(part)
    elif shape.kind in ("rows", "pairs", "choices"):
        yield from shapes(shape.item)


def test_each_type_has_its_control() -> None:
    kinds = {field.name.removeprefix("config."): field.kind for field in Draft.of(Everything).field.fields}
    assert kinds == {
        "must": "text", "on": "flag", "number": "integer", "ratio": "number", "maybe": "integer", "words": "text",
        "long": "area", "choice": "choice", "only": "choice", "perhaps": "choice", "merged": "choice",
        "colour": "choice",
        "names": "lines", "several": "choices", "inner": "group", "inners": "rows", "numbers": "rows",
        "either": "json", "limits": "pairs", "sub": "pairs", "missing": "maybe", "there": "maybe",
        "anything": "json", "pair": "json", "tree": "group",
    }  # fmt: skip


def test_labels_help_bounds_and_defaults_are_the_models() -> None:
    form = Draft.of(Everything).field
    must, number, ratio = (find(form, f"config.{name}") for name in ("must", "number", "ratio"))
    assert (must.label, must.help, must.required, number.label) == ("Must", "You must.", True, "How many")
    assert (number.help, ratio.help, number.required) == ("More than 0.", "Less than 1.", False)
    inner = find(form, "config.inner")
    assert (inner.help, find(form, "config.inner.x").help) == ("One of them.", "A digit. At least 0 and at most 9.")
    assert find(form, "config.colour").choices == (("dark_red", "dark red", False), ("blue", "blue", True))
    assert find(form, "config.perhaps").choices[0] == ("", "\N{EN DASH}", True)
    assert find(form, "config.inners.0").id == "field-config-inners-0"
    assert (must.described_by, find(form, "config.must").wrong) == ("field-config-must-help", False)


def test_a_control_of_several_lines_is_as_high_as_its_text_within_reason() -> None:
    names = [find(Draft.of(Everything, {"names": ["x"] * count}).field, "config.names") for count in (0, 5, 99)]
    assert [field.height for field in names] == [3, 5, 12]


def test_text_that_a_control_would_change_gets_one_that_does_not() -> None:
    form = Draft.of(Everything, FULL).field
    assert (find(form, "config.must").kind, find(form, "config.names").kind) == ("area", "rows")


def test_what_is_wrong_stands_beside_its_field() -> None:
    read = sent(Draft.of(Everything, FULL)) | {
        "config.must": [""],
        "config.number": ["many"],
        "config.ratio": [""],
        "config.maybe": [""],
        "config.inners.1.x": ["77"],
        "config.limits.0.value": ["x"],
        "config.sub.0.value.x": ["-1"],
        "config.either": ["{"],
        "config.pair": ["[1]"],
        "config.colour": ["green"],
        "config.tree.children.0.children.5": [""],
    }
    wrong = errors(draft := Draft.read(Everything, read))
    assert not draft.valid and find(draft.field, "config.inners").wrong
    assert wrong.keys() == {
        *("config.must", "config.number", "config.inners.1.x", "config.limits.0.value", "config.sub.0.value.x"),
        *("config.either", "config.pair", "config.colour"),
    }
    assert wrong["config.either"][0].startswith("this is not JSON")
    assert find(draft.field, "config.either").value == "{"
    assert find(draft.field, "config.number").value == "many"
    assert find(draft.field, "config.must").described_by == "field-config-must-help field-config-must-errors"
    # What was left empty and needs no value has its default, or none.
    assert (draft.config.get("ratio"), draft.config["maybe"]) == (None, None)


def test_what_is_wrong_with_the_whole_stands_above_it_and_a_list_names_the_line() -> None:
    draft = Draft.read(Everything, sent(Draft.of(Everything, {**FULL, "must": "never"})))
    assert errors(draft) == {"config": ("this will not do",)}

    class Words(BaseModel):
        words: tuple[Annotated[str, Field(max_length=2)], ...] = ()

    assert errors(Draft.read(Words, {"config.words": ["ok\r\nlong"]})) == {
        "config.words": ("Line 2: String should have at most 2 characters",)
    }


def test_json_that_is_nested_too_deeply_or_left_out_is_told() -> None:
    values = sent(Draft.of(Everything, FULL))
    deep = Draft.read(Everything, values | {"config.anything": ["[" * 100_000]})
    assert errors(deep) == {"config.anything": ("this is nested too deeply",)}
    assert "anything" not in Draft.read(Everything, values | {"config.anything": [" "]}).config


def test_names_of_a_mapping_are_needed_and_stand_once() -> None:
    values = {
        **sent(Draft.of(Everything, FULL)),
        **{f"config.limits.{row}": [""] for row in (2, 3)},
        **{f"config.limits.{row}.value": ["1"] for row in (2, 3)},
        "config.limits.2.key": ["a.b"],
    }
    draft = Draft.read(Everything, values)
    assert not draft.valid
    wrong = errors(draft)
    assert wrong["config.limits.2.key"] == ("this name stands twice",)
    assert wrong["config.limits.3.key"] == ("give it a name",)
    assert len(find(draft.field, "config.limits").rows) == 4
