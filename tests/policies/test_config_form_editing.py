"""The form of a Config while it is changed: its rows, and its other view, JSON."""

from __future__ import annotations

import json

import pytest
from pydantic import BaseModel, Field

from policies.config_form import Draft
from tests.policies.filling import FULL, Everything, errors, pressed, sent


def test_rows_are_added_removed_and_moved() -> None:
    draft = Draft.of(Everything, FULL)
    added = pressed(draft, "add:config.inners")
    assert added.config["inners"][2] == {"x": 1, "words": []}
    assert (added.pressed, added.valid, added.errors, added.focus) == (True, False, (), "config.inners.2.x")
    removed = pressed(added, "remove:config.inners.0")
    assert ([each["x"] for each in removed.config["inners"]], removed.focus) == ([2, 1], "config.inners")
    moved = pressed(draft, "up:config.numbers.2")
    assert (moved.config["numbers"], moved.focus) == ([1, 3, 2], "config.numbers.1.value")
    assert pressed(draft, "up:config.numbers.0").config["numbers"] == [1, 2, 3]


def test_rows_within_rows_and_mappings_and_groups_can_be_edited() -> None:
    draft = Draft.of(Everything, FULL)
    assert pressed(draft, "add:config.tree.children.0.children").config["tree"]["children"][0]["children"] == [
        {"name": "n", "children": []}
    ]
    assert pressed(draft, "remove:config.tree.children.0").config["tree"]["children"] == []
    assert pressed(draft, "add:config.limits").config["limits"] == {"a.b": 1, "c": 2, "": None}
    assert pressed(draft, "remove:config.limits.0").config["limits"] == {"c": 2}
    edges = {**FULL, "sub": {"k": {"x": 8, "words": [" edge"]}}, "missing": {"x": 6, "words": [" edge"]}}
    in_pair = pressed(Draft.of(Everything, edges), "add:config.sub.0.value.words")
    assert in_pair.config["sub"]["k"]["words"] == [" edge", ""]
    in_maybe = pressed(Draft.of(Everything, edges), "remove:config.missing.0.words.0")
    assert in_maybe.config["missing"]["words"] == []
    assert pressed(draft, "remove:config.names.1").config["names"] == ["p*", "two\nlines"]


def test_a_part_that_may_be_missing_is_set_and_taken_away() -> None:
    draft = Draft.of(Everything, FULL)
    assert pressed(draft, "remove:config.missing.0").config["missing"] is None
    set_again = pressed(draft, "add:config.there")
    assert (set_again.config["there"], set_again.focus) == ({"x": 1, "words": []}, "config.there.0.x")


def test_lists_of_mappings_and_mappings_of_lists_can_be_edited() -> None:
    class Nested(BaseModel):
        groups: tuple[dict[str, int], ...] = ({"a": 1},)
        lists: dict[str, tuple[int, ...]] = Field(default_factory=lambda: dict[str, tuple[int, ...]](k=(1, 2)))

    draft = Draft.of(Nested)
    assert Draft.read(Nested, sent(draft)).config == {"groups": [{"a": 1}], "lists": {"k": [1, 2]}}
    assert pressed(draft, "add:config.groups.0.value").config["groups"] == [{"a": 1, "": None}]
    assert pressed(draft, "remove:config.lists.0.value.0").config["lists"] == {"k": [2]}
    assert Draft.read(Nested, {"config.groups.0": [""], "config.lists.0": [""]}).config["groups"] == [{}]


@pytest.mark.parametrize(
    "button",
    [
        *("", "add:", "add:config", "add:config.nothing", "add:config.must", "remove:config", "explode:config.inners"),
        *("remove:config.inners.9", "remove:config.inners.0.x.1", "add:config.inners.7.words", "up:config.numbers.x"),
        *(
            "remove:config.there.1",
            "remove:config.limits.7.value.x",
            "add:config.limits.0",
            "add:config.limits.0.k.value",
        ),
        *("up:config.numbers.1.value.0", "remove:config.numbers.0.other.1"),
    ],
)
def test_a_button_that_no_form_has_changes_nothing(button: str) -> None:
    draft = Draft.of(Everything, FULL)
    after = pressed(draft, button)
    assert (after.config, after.valid) == (Draft.read(Everything, sent(draft)).config, False)


def test_the_json_view_shows_the_config_and_goes_back() -> None:
    draft = Draft.of(Everything, FULL)
    text = pressed(draft, "json")
    assert text.text is not None and json.loads(text.text) == Draft.read(Everything, sent(draft)).config
    stored = Draft.read(Everything, sent(text))
    assert stored.valid and stored.config == json.loads(text.text)
    back = pressed(text, "form")
    assert (back.text, back.config) == (None, text.config)


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("{", "", "This is not JSON"),
        ('{"a": 1, "a": 2}', "", "a key stands twice"),
        ("[" * 100_000, "", "nested too deeply"),
        ("[]", "", "A config is an object"),
        ('{"must": "m", "inners": [{"x": 99}]}', "inners.0.x", "less than or equal to 9"),
    ],
)
def test_json_that_will_not_do_is_kept_and_told(text: str, place: str, words: str) -> None:
    draft = Draft.read(Everything, {"config-json": [text]})
    ((where, what),) = draft.located_errors
    assert (draft.valid, draft.text, where) == (False, text, place)
    assert words in what


@pytest.mark.parametrize(
    "part",
    [
        *(
            {"on": 1},
            {"number": "3"},
            {"number": True},
            {"must": 5},
            {"choice": "z"},
            {"inner": 5},
            {"inner": {"y": 1}},
        ),
        *({"inners": {}}, {"inners": [5]}, {"names": "x"}, {"names": [5]}, {"limits": []}, {"limits": {"a": "x"}}),
        *({"missing": []}, {"missing": {"x": "1"}}, {"several": ["z"]}, {"unknown": 1}, {"inner": {"y": 1}}),
    ],
    ids=str,
)
def test_what_no_form_can_show_stays_in_the_json_view(part: dict[str, object]) -> None:
    draft = Draft.read(Everything, {"config-json": [json.dumps({**FULL, **part})]})
    for button in ("form", "add:config.inners"):
        assert pressed(draft, button).text == draft.text
    stored = Draft.of(Everything, {**FULL, **part})
    assert stored.text is not None and json.loads(stored.text) == {**FULL, **part}


def test_what_is_no_json_object_stays_in_the_json_view() -> None:
    assert pressed(Draft.read(Everything, {"config-json": ["{"]}), "form").text == "{"
    assert pressed(Draft.read(Everything, {"config-json": ["{"]}), "form").config == {}
    fields = pressed(Draft.read(Everything, {"config-json": ['{"must": ""}']}), "form")
    assert fields.text is None and "config.must" in errors(fields)


def test_numbers_of_rows_that_no_browser_sends_are_no_rows() -> None:
    class Rows(BaseModel):
        rows: tuple[int, ...] = ()

    sent_rows = {"config.rows.9999999": [""], "config.rows.\u0663": [""], "config.rows.-1": [""], "x.1": [""]}
    assert Draft.read(Rows, sent_rows).config == {"rows": []}
