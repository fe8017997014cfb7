from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from observability.search.places import EPOCH, LATEST, first_place, place_of, time_of

moments = st.datetimes(datetime(2020, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))


@given(moments, moments, st.text(), st.text())
def test_places_rise_with_time_and_say_it(one: datetime, other: datetime, id: str, name: str) -> None:
    first, second = place_of(one, id), place_of(other, name)
    assert one == other or (one < other) == (first < second)
    assert time_of(first) == one
    assert first_place(one) <= first < first_place(one + timedelta(microseconds=1))


def test_every_place_fits_into_the_column() -> None:
    assert first_place(datetime(1, 1, 1, tzinfo=UTC)) == first_place(EPOCH) == 0
    assert place_of(datetime(9999, 1, 1, tzinfo=UTC), "x") < 2**63
    assert time_of(first_place(LATEST)) == LATEST
