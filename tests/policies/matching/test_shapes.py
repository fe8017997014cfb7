import re

import re2
from hypothesis import given
from hypothesis import strategies as st

from policies.matching.shapes import (
    EDGE,
    Shape,
    any_case,
    captured,
    chars,
    either,
    fillers,
    literal,
    maybe,
    one_of,
    repeated,
    sequence,
    words,
)

LEAVES = st.one_of(
    st.text("abA.", max_size=3).map(literal),
    st.tuples(st.sampled_from(["a", "ab", "^a"]), st.integers(0, 2), st.integers(2, 3)).map(lambda it: chars(*it)),
    st.just(EDGE),
)
SHAPES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: sequence(*parts)),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: either(*parts)),
        inner.map(maybe),
        inner.map(any_case),
        st.tuples(inner, st.integers(0, 1), st.integers(1, 2)).map(lambda it: repeated(*it)),
    ),
    max_leaves=6,
)


@given(SHAPES, st.text("abA. ", max_size=12))
def test_each_beginning_of_a_match_is_an_opening_and_no_match_is_longer_than_the_longest(
    shape: Shape, text: str
) -> None:
    opening = re2.compile(f"(?:{shape.opening})\\z")
    for match in re2.finditer(shape.pattern, text):
        begin, end = match.span()
        assert end - begin <= shape.longest
        for cut in range(begin, end + 1):
            assert opening.match(text[begin:cut]) is not None


@given(SHAPES, st.text("abA. ", max_size=12))
def test_both_engines_find_the_same(shape: Shape, text: str) -> None:
    found = re.search(shape.pattern, text)
    other = re2.search(shape.pattern, text)
    assert (found is None) == (other is None)
    assert found is None or other is None or found.start() == other.start()


def test_shapes_say_what_they_look_like() -> None:
    assert re2.fullmatch(one_of("a.b", "c").pattern, "a.b")
    assert not re2.fullmatch(one_of("a.b", "c").pattern, "axb")
    assert re2.search(sequence(literal("a"), captured(literal("x"))).pattern, "ax").span(1) == (1, 2)
    every = sequence(fillers(one_of("of", "the"), 2), words(any_case(literal("ALL")), literal("x")))
    assert [bool(re2.fullmatch(every.pattern, text)) for text in ("all \n x", "of the all x", "of the of all x")] == [
        *(True, True, False)
    ]
