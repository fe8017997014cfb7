import pytest

from observability.diffs.page import (
    FEW,
    FIRST_ROWS,
    MOST_BLOCKS,
    MOST_CHANGED,
    MOST_ROWS,
    Place,
    Section,
    body_block,
    opened,
    shown,
)
from observability.diffs.pairs import Block


def text(words: str, **more: object) -> Block:
    return {"kind": "text", "text": words, **more}


def section(original: list[Block], final: list[Block], *, is_alone: bool = False) -> Section:
    return Section("request", "Request", original, final, is_alone=is_alone)


def test_equal_blocks_are_folded_and_changed_ones_compared() -> None:
    same = [text(f"words {number}", role="user") for number in range(3)]
    page = shown(section([*same, text("old", role="system")], [*same, text("new", role="system")]))
    fold, changed = page["blocks"]
    assert (fold.kind, fold.start, fold.end, fold.size, fold.is_change) == ("fold", 0, 3, 3, False)
    assert (changed.mark, changed.caption, changed.start, page["changes"]) == ("changed", "system · text", 3, 1)


def test_a_caption_says_whose_block_it_is_and_what_it_became() -> None:
    call: Block = {"kind": "tool_call", "name": "rm", "arguments": {}, "choice": 1}
    (block,) = shown(section([call], [text("notice", choice=1)]))["blocks"]
    assert block.caption == "choice 2 · tool call became text"
    (block,) = shown(section([], [text("notice")]))["blocks"]
    assert (block.mark, block.caption) == ("added", "text")


def test_many_changed_blocks_are_shown_in_part() -> None:
    blocks = [text(str(number)) for number in range(MOST_CHANGED + 5)]
    page = shown(section(blocks, []))
    assert page["changes"] == MOST_CHANGED + 5
    assert (page["blocks"][-1].kind, page["blocks"][-1].size, page["blocks"][-1].is_change) == ("fold", 5, True)


def test_a_few_blocks_that_stand_alone_are_not_folded() -> None:
    many = [text(str(number)) for number in range(FEW + 1)]
    assert [each.kind for each in shown(section(many, many, is_alone=True))["blocks"]] == ["fold"]
    (block,) = shown(section([text("a")], [text("a")], is_alone=True))["blocks"]
    assert (block.kind, block.mark) == ("block", "same")


def test_a_fold_of_blocks_opens_in_portions_of_short_blocks() -> None:
    long = text("\n".join(map(str, range(FIRST_ROWS + 9))))
    blocks = [long, *(text(f"words {number}") for number in range(MOST_BLOCKS))]
    page = opened(section(blocks, blocks), Place(0, 999))
    assert [each.kind for each in page["blocks"]] == ["block"] * MOST_BLOCKS + ["fold"]
    assert [group.kind for group in page["blocks"][0].groups] == ["same", "fold"]
    assert opened(section(blocks, blocks), Place(999, 1000))["blocks"] == []


def test_a_fold_of_lines_opens() -> None:
    lines = "\n".join(map(str, range(MOST_ROWS + 10)))
    page = opened(section([text(lines)], [text(lines)]), Place(2, MOST_ROWS + 5, 0))
    assert [(group.kind, group.start, group.end) for group in page["groups"]] == [
        ("same", 2, MOST_ROWS + 2),
        ("fold", MOST_ROWS + 2, MOST_ROWS + 5),
    ]
    assert opened(section([], []), Place(0, 1, 7))["groups"] == []


def test_a_place_is_read_from_a_query() -> None:
    assert Place.read("3-9", "", "") == Place(3, 9)
    assert Place.read("", "3", "40-80") == Place(40, 80, 3)
    for query in (("", "", ""), ("3", "", ""), ("-1-4", "", ""), ("", "-3", "4-5"), ("", "x", "4-5")):
        with pytest.raises(ValueError):
            Place.read(*query)


def test_json_has_stable_keys_and_what_is_none_is_shown_as_it_is() -> None:
    assert body_block(b'{"b":1,"a":"\xc3\xa9"}') == {"kind": "json", "text": '{\n  "a": "\u00e9",\n  "b": 1\n}'}
    assert body_block(b"data: \xff") == {"kind": "body", "text": "data: \ufffd"}
