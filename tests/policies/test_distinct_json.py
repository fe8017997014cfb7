import pytest

from policies import distinct_json


def test_integers_keep_their_value_and_keys_their_order() -> None:
    assert list(distinct_json.loads('{"b": 123456789012345678901234567890, "a": [1.5]}').items()) == [
        ("b", 123456789012345678901234567890),
        ("a", [1.5]),
    ]


@pytest.mark.parametrize("text", ['{"a": 1, "a": 1}', '[{"a": {"b": 1, "b": 2}}]'])
def test_a_key_that_stands_twice_is_told_apart(text: str) -> None:
    with pytest.raises(distinct_json.KeyTwice):
        distinct_json.loads(text)


@pytest.mark.parametrize("text", ["", "NaN", "[Infinity]", "{}{}", "{'a': 1}", '{"a": 1,}'])
def test_what_only_some_parsers_take_is_no_json(text: str) -> None:
    with pytest.raises(ValueError):
        distinct_json.loads(text)


def test_deep_nesting_is_told() -> None:
    with pytest.raises(RecursionError):
        distinct_json.loads("[" * 100_000)
