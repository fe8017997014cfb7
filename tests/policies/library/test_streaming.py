"""However a text is cut into deltas, every policy releases the same, which is what it makes of the whole."""

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from policies.base import Call, Policy
from policies.library.debug_logging import DebugLogging
from policies.library.pii import Pii
from policies.library.plain_dashes import PlainDashes
from policies.library.prefer_uv import PreferUv
from policies.library.secrets import Secrets
from policies.library.string_replacement import StringReplacement
from policies.library.uppercase import Uppercase
from policies.library.uppercase_nth_word import UppercaseNthWord
from policies.testing import stream_text

ALPHABET = st.sampled_from("aAbB \n\tßİΣς漢🎉.é\\")
CUTS = st.lists(st.text(ALPHABET | st.characters(exclude_categories=["Cs"]), max_size=8), max_size=10)
# Few letters, so that a match is often there, and often cut.
DENSE_CUTS = st.lists(st.text("aAbß\n", max_size=5), max_size=10)
SHORT = st.text("aAbß\n", min_size=1, max_size=4)
RULE = st.fixed_dictionaries({"find": SHORT, "replace": st.text("aAb漢\n", max_size=4), "ignore_case": st.booleans()})
LITERALS = RULE.map(lambda rule: rule | {"regex": False})
PATTERNS = st.fixed_dictionaries(
    {
        "find": st.sampled_from(["a+", "b*", "^a", "b$", "(a)(b)?", "[^a]", ".", r"\s", "ß|a."]),
        "replace": st.sampled_from(["", "x", r"\\0\0", "a", "\n", "漢"]),
        "regex": st.just(True),
        "ignore_case": st.booleans(),
    }
)
CHAINS = st.lists(LITERALS | PATTERNS, max_size=4)


def replacing(*rules: dict[str, Any]) -> StringReplacement:
    return StringReplacement(StringReplacement.Config.model_validate({"rules": rules}))


@given(CUTS)
def test_uppercase_is_that_of_the_whole(chunks: list[str]) -> None:
    assert stream_text(Uppercase(), chunks) == "".join(chunks).upper()


@given(CUTS, st.integers(1, 4))
def test_every_nth_word_is_that_of_the_whole(chunks: list[str], n: int) -> None:
    numbers = iter(range(1, 1000))
    expected = re.sub(r"\S+", lambda word: word[0].upper() if next(numbers) % n == 0 else word[0], "".join(chunks))
    assert stream_text(UppercaseNthWord(UppercaseNthWord.Config(n=n)), chunks) == expected


@given(DENSE_CUTS, SHORT, st.text(ALPHABET, max_size=4))
def test_a_literal_is_replaced_as_in_the_whole(chunks: list[str], find: str, replacement: str) -> None:
    expected = "".join(chunks).replace(find, replacement)
    assert stream_text(replacing({"find": find, "replace": replacement}), chunks) == expected


@given(DENSE_CUTS | CUTS, CHAINS)
def test_rules_one_after_the_other_are_the_same_for_any_cut(chunks: list[str], rules: list[dict[str, Any]]) -> None:
    one_by_one = "".join(chunks)
    for rule in rules:
        one_by_one = stream_text(replacing(rule), [one_by_one])
    assert stream_text(replacing(*rules), chunks) == one_by_one
    assert stream_text(replacing(*rules), ["".join(chunks)]) == one_by_one


@given(st.text("ab\n", max_size=30), st.sampled_from(["a+", "^a", "b$", "(a)b", "[^b]+"]))
def test_a_regular_expression_is_that_of_the_lines(text: str, pattern: str) -> None:
    expected = "\n".join(re.sub(pattern, "<x>", line) for line in text.split("\n"))
    assert stream_text(replacing({"find": pattern, "replace": "<x>", "regex": True}), list(text)) == expected


@given(st.lists(st.text("\u2014\u2014\u201d` \n~>a\u2026\u00a0", max_size=6), max_size=8), st.booleans())
def test_dashes_are_those_of_the_whole(chunks: list[str], code: bool) -> None:
    policy = PlainDashes(PlainDashes.Config(code=code))
    assert stream_text(policy, chunks) == stream_text(policy, ["".join(chunks)])


@given(st.lists(st.text("`~\npi lst$", max_size=8), max_size=10))
def test_commands_in_code_become_uvs_as_in_the_whole(chunks: list[str]) -> None:
    assert stream_text(PreferUv(), chunks) == stream_text(PreferUv(), ["".join(chunks)])


@given(CUTS)
def test_notes_change_nothing(chunks: list[str]) -> None:
    policy = DebugLogging(DebugLogging.Config(hooks=("on_text_delta",)))
    assert stream_text(policy, chunks) == "".join(chunks)


PRIVATE = st.sampled_from(["ann@", "acme.dev", "AKIAQ3EGRMXW", "7TL2ZBND", "4111 1111 ", "1111 1111", "\u200b", " "])


@given(st.lists(PRIVATE | st.text("aA1 @.+-", max_size=3), max_size=10), st.sampled_from([Secrets(), Pii()]))
def test_data_is_cut_out_as_from_the_whole(chunks: list[str], policy: Policy) -> None:
    assert stream_text(policy, chunks) == stream_text(policy, ["".join(chunks)])


def test_nothing_of_a_match_leaves_before_it_is_whole_and_nothing_else_waits() -> None:
    policy, call = replacing({"find": "secret", "replace": "-"}), Call()
    released = [policy.on_text_delta(chunk, call, False)[0] for chunk in ("a se", "cr", "et b", "s")]
    assert released == ["a ", "", "- b", ""]
