from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.dialects import strict_json
from gateway.dialects.strict_json import MAX_CONTAINERS, read_object
from gateway.dialects.unambiguous import misspelled
from gateway.errors import BadRequest

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":1e999}',
        b'{"a":1} x',
        b'{"a":1}{"b":2}',
        b'{"a":"\xff"}',
        b'{"a":"\\ud800"}',
        b'\xef\xbb\xbf{"a":1}',
        b'{"a":1,"a":1}',
        b'{"a":{"b":[{"c":1,"c":2}]}}',
        b'{"a":1,"\\u0061":2}',
        b'{"a":1e3,"a":1,"b":1}',
        b'{"a":' + b"9" * 5000 + b"}",
        b'{"a":' + b"[" * 201 + b"]" * 201 + b"}",
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    ],
)
def test_what_is_ambiguous_or_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):
        read_object(body)


def test_no_message_quotes_the_body() -> None:
    with pytest.raises(BadRequest) as caught:
        read_object(b'{"secret":1,"secret":2}')
    assert "secret" not in str(caught.value)


def test_wide_bodies_and_deep_enough_ones_pass() -> None:
    assert read_object(b'{"a":' + b"[" * 198 + b"]" * 198 + b"}")
    assert len(read_object(b'{"a":[' + b",".join([b"{}"] * 300) + b"]}")["a"]) == 300


def test_integers_keep_their_value_at_any_length() -> None:
    assert read_object(b'{"a":123456789012345678901234567890}') == {"a": 123456789012345678901234567890}


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), values), st.sampled_from([None, 2]))
def test_every_object_is_read_as_the_standard_library_reads_it(value: dict[str, Any], indent: int | None) -> None:
    try:
        body = json.dumps(value, ensure_ascii=False, indent=indent).encode()
    except UnicodeEncodeError:
        return
    assume(not misspelled(value))
    assert read_object(body) == json.loads(body)


@pytest.mark.parametrize(("containers", "refused"), [(MAX_CONTAINERS - 2, False), (MAX_CONTAINERS - 1, True)])
def test_a_body_of_very_many_objects_is_refused_before_anyone_walks_through_it(containers: int, refused: bool) -> None:
    body = b'{"a":[' + b",".join([b"{}"] * containers) + b"]}"
    if not refused:
        assert len(read_object(body)["a"]) == containers
        return
    with pytest.raises(BadRequest, match="more than 100000 objects"):
        read_object(body)


def signs(value: Any) -> int:
    """The commas and opening brackets of the JSON of `value`."""
    if not isinstance(value, dict | list):
        return 0
    inner = list(value.values()) if isinstance(value, dict) else value
    return 1 + max(len(inner) - 1, 0) + sum(signs(each) for each in inner)


texts = st.text(st.sampled_from('"\\,[{ax'))
tricky = st.recursive(
    texts | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=10
)


@given(st.dictionaries(texts, tricky), st.integers(0, 9), st.integers(1, 9))
def test_values_are_counted_without_what_texts_say(value: dict[str, Any], most: int, size: int) -> None:
    body = json.dumps(value).encode()
    with pytest.MonkeyPatch.context() as patch:
        for name, number in (("LARGE", 0), ("MAX_VALUES", most), ("_SLICE", size)):
            patch.setattr(strict_json, name, number)
        if signs(value) <= most:
            assert read_object(body) == value
            return
        with pytest.raises(BadRequest, match="values"):
            read_object(body)


@pytest.mark.parametrize(
    "many", [b"[" * 999_999, b"[]," * 999_999, b'{"a":1},' * 499_999, b"1," * 999_999, b'"a",' * 999_999]
)
def test_a_large_body_of_very_many_values_is_refused_before_it_is_parsed(
    many: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strict_json, "orjson", None)
    with pytest.raises(BadRequest, match="more than 500000 values"):
        read_object(b'{"a":[' + many + b"1]}")


def test_a_large_text_may_hold_as_many_commas_and_brackets_as_it_likes() -> None:
    text = 'f(a, {b}, [c], "\\");\n' * 200_000
    assert read_object(json.dumps({"a": text}).encode()) == {"a": text}
