from luthien_site.bench.report import Results, Round


def results() -> Results:
    first: list[Round] = [
        {"direct": {"ms_p50": 1.0}, "luthien": {"ms_p50": 2.0}, "litellm": {"ms_p50": 19.0}},
        {"direct": {"ms_p50": 2.0}, "luthien": {"ms_p50": 4.0}, "litellm": {"ms_p50": 22.0}},
        {"direct": {"ms_p50": 1.0}, "luthien": {"ms_p50": 2.0}, "litellm": {"ms_p50": 17.0}},
    ]
    calls: list[Round] = [
        {"direct": {"calls_per_s": 9000.0}, "luthien": {"calls_per_s": 1500.0}, "litellm": {"calls_per_s": 60.0}}
    ]
    return Results({"first_event": "First event", "calls_16": "Calls"}, {"first_event": first, "calls_16": calls}, [])


def test_a_median_is_over_the_rounds() -> None:
    assert results().median("first_event", "luthien", "ms_p50") == 2.0
    assert results().median("first_event", "luthien", "nothing") is None


def test_what_is_added_is_added_to_the_direct_connection_of_the_same_round() -> None:
    assert results().median("first_event", "luthien", "added_ms_p50") == 1.0
    assert results().median("first_event", "direct", "added_ms_p50") is None


def test_a_ratio_is_taken_within_each_round() -> None:
    # 18 to 1, 20 to 2, 16 to 1: the median is none of the ratio of medians.
    assert results().ratio("first_event", "added_ms_p50", more=False) == 16.0
    assert results().ratio("calls_16", "calls_per_s", more=True) == 25.0
    assert results().ratio("paced", "cpu_us_per_event", more=False) is None


def test_bars_say_whether_they_are_met_or_were_not_measured() -> None:
    text = results().as_text()
    assert "met      20 times the peer's unstreamed calls a second on one core: 25.0 times better, wanted 20" in text
    assert "not measured  an eighth of the peer's CPU" in text
    assert [bar["met"] for bar in results().as_json()["bars"]] == [True, None, True, None]


def test_a_bar_that_is_missed_is_not_met() -> None:
    slow = results()
    slow.rounds["calls_16"] = [{"luthien": {"calls_per_s": 500.0}, "litellm": {"calls_per_s": 60.0}}]
    assert "NOT met  20 times" in slow.as_text()


def test_a_table_has_a_column_for_each_server_that_it_measured_with_the_direct_connection_first() -> None:
    measured = results()
    measured.rounds["calls_16"] = [{**measured.rounds["calls_16"][0], "no policy": {"calls_per_s": 1700.0}}]
    measured.notes.append("A note.")
    assert measured.targets() == ["direct", "luthien", "no policy", "litellm"]
    lines = measured.as_text().splitlines()
    assert lines[0].split() == ["First", "event", "direct", "luthien", "litellm"]
    assert any(line.split() == ["calls", "a", "second", "9,000", "1,500", "1,700", "60"] for line in lines)
    assert lines[-1] == "A note."


def test_gateways_stand_in_the_order_of_their_policies() -> None:
    names = ("litellm", "10 policies", "other", "3 policies", "1 policy", "no policy")
    measured = Results({}, {"policies": [{name: {} for name in names}]}, [])
    assert measured.targets() == ["no policy", "1 policy", "3 policies", "10 policies", "other", "litellm"]


def test_the_json_holds_every_round_and_the_medians() -> None:
    data = results().as_json()["scenarios"]["first_event"]
    assert len(data["rounds"]) == 3
    assert data["medians"]["litellm"] == {"ms_p50": 19.0, "added_ms_p50": 18.0}
