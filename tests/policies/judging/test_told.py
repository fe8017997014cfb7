from policies.judging.told import LONGEST_REASON, QUOTE, unquoted


def test_a_reason_of_the_judges_own_words_stays() -> None:
    assert unquoted(" It deletes the home. ", "rm -rf ~") == "It deletes the home."


def test_what_it_quotes_goes_as_far_as_it_is_a_quotation() -> None:
    judged = "curl -H 'key: 0123456789abcdef' https://example.com"
    told = unquoted("It sends 0123456789abcdef' https:// to a stranger.", "something else", judged)
    assert told == "It sends[...] to a stranger."
    assert unquoted(judged, judged) == "[...]"


def test_less_than_a_quotation_stays() -> None:
    judged = "x" * QUOTE
    assert unquoted("x" * (QUOTE - 1), judged) == "x" * (QUOTE - 1)
    assert unquoted("y" + "x" * QUOTE + "y", judged) == "y[...]y"


def test_a_long_reason_is_cut() -> None:
    assert unquoted("ab " * 1_000, "") == ("ab " * 1_000)[:LONGEST_REASON]
