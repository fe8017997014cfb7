from observability.diffs.lines import CHANGED, CONTEXT, INSIDE, KEPT, LONG, WORD, Group, Line, LineDiff, Row, split


def numbered(count: int) -> list[str]:
    return [f"line {number}" for number in range(count)]


def text(lines: list[str]) -> str:
    return "\n".join(lines)


def compared(left: str, right: str) -> list[Row]:
    return [row for group in LineDiff(left, right).groups() for row in group.rows]


def only(left: str, right: str) -> tuple[Line, Line]:
    ((one, other, is_pair),) = compared(left, right)
    assert one is not None and other is not None and is_pair
    return one, other


def test_what_differs_within_a_line_is_marked_in_whole_words() -> None:
    assert only("rm -rf /x now", "rm -ri /x now") == (
        Line("removed", 1, "rm -", "rf", " /x now"),
        Line("added", 1, "rm -", "ri", " /x now"),
    )
    assert [line.inside for line in only("the ledgers", "the folders")] == ["ledgers", "folders"]
    assert [line.inside for line in only("one two", "one and two")] == ["", "and "]


def test_shared_ends_are_not_counted_twice() -> None:
    for left, right in (("a a", "a a a"), ("aa", "aaa"), ("", "x y"), ("same", "same thing")):
        for line, whole in zip(only_or_alone(left, right), (left, right), strict=True):
            assert line is None or line.before + line.inside + line.after == whole


def only_or_alone(left: str, right: str) -> tuple[Line | None, Line | None]:
    ((one, other, _),) = compared(left, right)
    return one, other


def test_lines_of_one_side_have_nothing_opposite_and_say_where_they_stand() -> None:
    rows = compared("a\nb", "a\n\nb")
    assert [(left and left.number, right and right.number) for left, right, _ in rows] == [(1, 1), (None, 2), (2, 3)]
    assert rows[1] == Row(None, Line("added", 2))
    assert rows[1].sides == (None, Line("added", 2))
    assert compared("a", "") == [Row(Line("removed", 1, "a"), None)]
    assert compared("", "") == []


def test_what_did_not_change_is_folded_but_for_its_edges() -> None:
    lines = numbered(40)
    changed = [*lines[:20], "other words", *lines[21:]]
    groups = list(LineDiff(text(lines), text(changed)).groups())
    assert [(group.kind, group.start, group.end) for group in groups] == [
        ("fold", 0, 20 - CONTEXT),
        ("same", 20 - CONTEXT, 20),
        ("change", 20, 21),
        ("same", 21, 21 + CONTEXT),
        ("fold", 21 + CONTEXT, 40),
    ]
    assert groups[0].size == 20 - CONTEXT and not groups[0].is_change and not groups[0].rows


def test_a_few_unchanged_lines_are_not_worth_a_fold() -> None:
    lines = numbered(9)
    changed = ["first", *lines[1:8], "last"]
    assert [group.kind for group in LineDiff(text(lines), text(changed)).groups()] == ["change", "same", "change"]


def test_a_long_change_is_shown_in_part() -> None:
    diff = LineDiff("", text(numbered(CHANGED + 100)))
    shown, fold = diff.groups()
    assert (shown.size, len(diff)) == (CHANGED, CHANGED + 100)
    assert fold == Group("fold", CHANGED, CHANGED + 100, is_change=True)


def test_many_changes_are_shown_in_part() -> None:
    left = [f"line {number}" for number in range(CHANGED * 4)]
    right = [f"{line} now" if number % 2 else line for number, line in enumerate(left)]
    *_, last, fold = LineDiff(text(left), text(right)).groups()
    assert (last.kind, fold) == ("same", Group("fold", 2 * CHANGED + 1, 4 * CHANGED, is_change=True))


def test_a_fold_opens_in_portions() -> None:
    lines = numbered(40)
    diff = LineDiff(text(lines), text([*lines[:5], "other words", *lines[6:]]))
    opened = list(diff.window(4, 30, 10))
    assert [(group.kind, group.start, group.end) for group in opened] == [
        ("same", 4, 5),
        ("change", 5, 6),
        ("same", 6, 14),
        ("fold", 14, 30),
    ]
    assert list(diff.window(90, 95, 10)) == list(diff.window(9, 3, 10)) == []


def test_a_long_line_is_shown_where_it_differs() -> None:
    left, right = only("a " * 5_000 + "old" + " b" * 5_000, "a " * 5_000 + "new" + " b" * 5_000)
    assert (left.inside, right.inside) == ("old", "new")
    assert len(left.before) == len(left.after) == KEPT
    assert left.skipped_before == left.skipped_after == 10_000 - KEPT
    left, _ = only("x y" * INSIDE, "z")
    assert (len(left.inside), left.skipped_inside) == (INSIDE, 2 * INSIDE)


def test_a_long_line_that_does_not_differ_is_cut() -> None:
    row = compared("w" * (LONG + 7) + "\nold", "w" * (LONG + 7) + "\nnew")[0]
    assert row.left is not None and (len(row.left.before), row.left.skipped_after) == (LONG, 7)


def test_a_word_without_end_is_cut_by_a_mark() -> None:
    left, right = only("w" * 500 + "a", "w" * 500 + "b")
    assert len(left.inside) == len(right.inside) == WORD + 1


def test_only_a_line_feed_ends_a_line() -> None:
    assert split("a\x0bb\u2028c\r\nd") == ["a\x0bb\u2028c", "d"]
