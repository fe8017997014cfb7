import pytest

from observability.presentation import action_tone, outcome_tone, visible


def test_what_is_unknown_looks_like_a_failure_and_never_like_success() -> None:
    assert outcome_tone("finished") == action_tone("allow") == "allowed"
    assert outcome_tone("something new") == action_tone("failed_open") == "failed"


@pytest.mark.parametrize(
    ("hidden", "seen"),
    [
        ("a\0b\x1b", "a\N{SYMBOL FOR NULL}b\N{SYMBOL FOR ESCAPE}"),
        ("\u202egnirts", "[U+202E]gnirts"),
        ("\U000e0041", "[U+E0041]"),
        ("line\r\nline\tend\r", "line\nline\tend\N{SYMBOL FOR CARRIAGE RETURN}"),
        ("ordinary \u00e9 \u0645 \U0001f468\u200d\U0001f469", "ordinary \u00e9 \u0645 \U0001f468\u200d\U0001f469"),
    ],
)
def test_what_hides_in_a_text_is_made_visible_and_the_rest_left_alone(hidden: str, seen: str) -> None:
    assert visible(hidden) == seen
