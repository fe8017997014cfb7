import pytest

from observability.templatetags import record_format


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, record_format.NOTHING), (0.0, "0.0 ms"), (9.94, "9.9 ms"), (10.2, "10 ms"), (1000, "1.00 s")],
)
def test_milliseconds_become_seconds_from_one_on(value: float | None, shown: str) -> None:
    assert record_format.ms(value) == shown


@pytest.mark.parametrize(("value", "shown"), [(None, record_format.NOTHING), (0, "0"), (1234567, "1,234,567")])
def test_whole_numbers_have_separators(value: int | None, shown: str) -> None:
    assert record_format.count(value) == shown


@pytest.mark.parametrize(
    ("microdollars", "shown"),
    [
        (None, record_format.NOTHING),
        (0, "$0.00"),
        (1, "$0.000001"),
        (1500, "$0.0015"),
        (25_000, "$0.025"),
        (1_234_567_890, "$1,234.57"),
    ],
)
def test_small_sums_keep_what_makes_them_differ_from_nothing(microdollars: int | None, shown: str) -> None:
    assert record_format.dollars(microdollars) == shown


def test_words_have_no_underscores() -> None:
    assert record_format.words("upstream_error") == "upstream error"


def test_what_cannot_be_seen_is_made_visible() -> None:
    assert "\u202e" not in record_format.visible("a\u202eb")
