from observability.search.typed import address, pages


def test_an_address_says_nothing_of_what_is_empty() -> None:
    assert address({"show": "", "q": 'tool:bash "rm -rf"'}) == "?q=tool%3Abash+%22rm+-rf%22"


def test_the_only_page_leads_nowhere() -> None:
    assert pages({"q": "ledger"}, before="", older="") == {"newest_url": "", "older_url": ""}


def test_a_page_in_the_middle_leads_both_ways_with_the_same_query() -> None:
    found = pages({"show": "reported", "q": "ledger"}, before="call_2", older="call_1")
    assert found["newest_url"] == "?show=reported&q=ledger"
    assert found["older_url"] == "?show=reported&q=ledger&before=call_1"
