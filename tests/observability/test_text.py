from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from observability.text import clean, clean_number, json_text, number_of, plain


@given(st.text(alphabet=st.characters(codec=None)))
def test_clean_text_is_what_both_databases_take(text: str) -> None:
    cleaned = clean(text)
    assert "\0" not in cleaned
    cleaned.encode()


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0")))
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert clean(text) == text


def test_long_text_is_cut() -> None:
    assert clean("x" * 50, 10) == "x" * 10


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": [1, 2.5, None, True, "b"]}, {"a": [1, 2.5, None, True, "b"]}),
        ({1: "\ud800", 2: 10**30}, {"1": "?", "2": str(10**30)}),
        ([{1}, b"x", float("inf"), 10**30], [[1], "<bytes>", None, str(10**30)]),
    ],
)
def test_plain_values_can_be_said_in_json(value: Any, expected: Any) -> None:
    assert plain(value) == expected
    orjson.dumps(plain(value))


def test_a_value_without_end_has_one() -> None:
    loop: list[Any] = []
    loop.append(loop)
    orjson.dumps(plain(loop))


def test_numbers_fit_their_column() -> None:
    assert [clean_number(n) for n in (-(10**30), 5, 10**30)] == [-(2**63), 5, 2**63 - 1]


def test_json_text_is_canonical_whatever_it_is_given() -> None:
    assert json_text({"b": 1, "a": [("x", "y")]}) == '{"a":[["x","y"]],"b":1}'
    assert json_text({"a": "\ud800", "b": {1}}) == '{"a":"?","b":[1]}'


def test_one_is_not_many() -> None:
    assert [number_of(count, "row") for count in (0, 1, 2)] == ["0 rows", "1 row", "2 rows"]
    assert [number_of(count, "body", "bodies") for count in (1, 2)] == ["1 body", "2 bodies"]
