import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.matching.json_texts import KeysCollide, map_texts

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)


def shout(text: str, key: str) -> str:
    return text.replace("a", "A")


def shouted(value: Any) -> Any:
    match value:
        case str():
            return value.replace("a", "A")
        case list():
            return [shouted(item) for item in value]
        case dict():
            return {shouted(key): shouted(item) for key, item in value.items()}
        case _:
            return value


@given(VALUES, st.booleans(), st.sampled_from([None, 1]))
def test_every_text_is_changed_and_nothing_else(value: Any, ascii_only: bool, indent: int | None) -> None:
    document = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    try:
        changed = map_texts(document, shout)
    except KeysCollide:
        return
    assert json.loads(changed) == shouted(value)


@given(VALUES)
def test_a_document_in_which_nothing_changes_is_the_same_object(value: Any) -> None:
    document = json.dumps(value)
    assert map_texts(document, lambda text, key: text) is document


def test_spelling_order_and_space_stay() -> None:
    document = '{ "z" : 1.50e3 , "a":"\\u0061\\/b", "n": -0.0, "e":"\\/" }'
    assert map_texts(document, shout) == '{ "z" : 1.50e3 , "A":"A/b", "n": -0.0, "e":"\\/" }'


def test_each_text_comes_with_the_key_that_it_stands_under() -> None:
    seen: list[tuple[str, str]] = []

    def see(text: str, key: str) -> str:
        seen.append((text, key))
        return text

    map_texts('{"a": ["x", {"b": "y"}, "z"], "c": 1234567, "d": 123, "e": "w"}', see)
    assert seen == [
        *[("a", ""), ("x", "a"), ("b", ""), ("y", "b"), ("z", "a"), ("c", ""), ("1234567", "c"), ("d", "")],
        *[("e", ""), ("w", "e")],
    ]


def test_a_number_that_changes_becomes_a_text() -> None:
    assert map_texts('{"card": 4111111111111111}', lambda text, key: "[CARD]" if key else text) == '{"card": "[CARD]"}'


def test_a_text_with_half_a_character_stays_json() -> None:
    changed = map_texts('["a\\ud800"]', shout)
    assert json.loads(changed) == ["A\ud800"]
    assert changed.encode("utf-8")


def test_nesting_has_no_limit_of_its_own() -> None:
    assert map_texts("[" * 50_000 + '"a"' + "]" * 50_000, shout).count("A") == 1


def test_keys_that_become_the_same_are_refused() -> None:
    with pytest.raises(KeysCollide):
        map_texts('{"a": 1, "A": 2}', shout)
    assert map_texts('{"a": {"A": 1}}', shout) == '{"A": {"A": 1}}'
