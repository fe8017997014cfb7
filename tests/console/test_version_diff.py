from collections.abc import Mapping

from gateway.console.policies.version_diff import Row, compare, flat


def changed(before: Mapping[str, object], after: Mapping[str, object]) -> list[Row]:
    return [row for row in compare(before, after) if row.mark != "same"]


def test_only_what_differs_is_marked_in_the_order_of_the_newer() -> None:
    assert [row.mark for row in compare({"a": 1, "b": 2}, {"b": 2, "a": 3})] == ["same", "changed"]
    assert changed({"fast_mode": True}, {"fast_mode": False}) == [Row("Fast mode", "changed", "yes", "no")]


def test_a_setting_that_one_side_lacks_is_added_or_removed() -> None:
    assert changed({"old": "x"}, {"new": None}) == [Row("New", "added", "", "not set"), Row("Old", "removed", "x", "")]


def test_lists_of_texts_are_shown_whole_and_empty_ones_said() -> None:
    assert changed({"names": ["a", "b"]}, {"names": []}) == [Row("Names", "changed", "a\nb", "(none)")]
    assert changed({"name": ""}, {"name": "x"}) == [Row("Name", "changed", "(empty)", "x")]


def test_true_is_not_one() -> None:
    assert changed({"n": 1}, {"n": True}) == [Row("N", "changed", "1", "yes")]


def test_items_of_a_list_stand_opposite_what_they_became() -> None:
    before = {"rules": [{"find": "a", "put": "x"}, {"find": "b", "put": "y"}]}
    after = {"rules": [{"find": "b", "put": "z"}]}
    assert changed(before, {"rules": before["rules"][1:]}) == [
        Row("Rules · 1 · find", "removed", "a", ""),
        Row("Rules · 1 · put", "removed", "x", ""),
    ]
    assert changed({"rules": before["rules"][1:]}, after) == [Row("Rules · 1 · put", "changed", "y", "z")]
    assert changed(after, {"rules": [*after["rules"], {"find": "c"}]}) == [Row("Rules · 2 · find", "added", "", "c")]


def test_groups_and_mappings_are_walked_and_a_kind_that_changes_is_shown() -> None:
    assert changed({"a": {"b": {"c": 1}}}, {"a": {"b": {"c": 2}}}) == [Row("A · b · c", "changed", "1", "2")]
    assert changed({"a": {"b": 1}}, {"a": None}) == [Row("A", "changed", "b: 1", "not set")]
    assert changed({"a": {}}, {}) == [Row("A", "removed", "(none)", "")]
    assert changed({"a": [{"b": 1}]}, {"a": "text"}) == [Row("A", "changed", "b: 1", "text")]


def test_a_config_is_told_setting_by_setting() -> None:
    assert flat({"a": {"b": [1, 2.5]}, "c": {}, "d": [{"e": 1}]}) == [
        *(("A · b", "1\n2.5"), ("C", "(none)"), ("D · 1 · e", "1"))
    ]
